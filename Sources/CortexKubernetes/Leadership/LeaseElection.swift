import CortexSpec
import Foundation
package import Logging
import Synchronization

/// Sees to it that one process at a time leads, by a Lease that it keeps renewing.
package final class LeaseElection: Sendable {
    /// How long a lease lasts that is not renewed.
    package static let duration: Duration = .seconds(15)
    private static let renewal: Duration = .seconds(5)

    private let client: KubernetesClient
    private let name: String
    private let identity: String
    private let logger: Logger
    private let renewed = Mutex<ContinuousClock.Instant?>(nil)
    /// When it was last told that the lease cannot be renewed.
    private let complained = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameter identity: No other process's, such as the name of a pod.
    package init(client: KubernetesClient, name: String, identity: String, logger: Logger) {
        self.client = client
        self.name = name
        self.identity = identity
        self.logger = logger
    }

    /// Whether nobody else can lead now.
    package var isLeader: Bool {
        self.renewed.withLock { $0 }.map { ContinuousClock.now - $0 < Self.duration } ?? false
    }

    /// Waits until this process leads.
    ///
    /// Throws where the task is cancelled before.
    package func acquire() async throws {
        var state = LeaseState(identity: self.identity, duration: Self.duration)
        while true {
            if await self.renew(&state) == .leads { return }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Keeps leading until the task is cancelled; then another may at once.
    ///
    /// Throws ``LeadershipLost`` where another leads. Where the API server does not answer nobody can, and this goes on asking.
    package func hold() async throws {
        var state = LeaseState(identity: self.identity, duration: Self.duration)
        while (try? await Task.sleep(for: Self.renewal)) != nil {
            if await self.renew(&state) == .follows { throw LeadershipLost() }
        }
    }

    /// Lets another lead at once; to be called when this process has ended all that it does as a leader.
    package func release() async {
        self.renewed.withLock { $0 = nil }
        do {
            guard let lease = try await self.client.get(.leases, self.name),
                lease["spec", "holderIdentity"]?.string == self.identity
            else { return }
            var free = lease
            free["spec", "holderIdentity"] = .string("")
            _ = try await self.client.replace(.leases, free)
        } catch {
            self.logger.debug("the lease could not be given back", metadata: ["error": "\(error)"])
        }
    }

    private enum Outcome {
        case leads, follows, unknown
    }

    private func renew(_ state: inout LeaseState) async -> Outcome {
        let asked = ContinuousClock.now
        do {
            let lease = try await self.client.get(.leases, self.name)
            let now = Duration.seconds(ProcessInfo.processInfo.systemUptime)
            let step = state.step(for: lease, now: now)
            guard step != .wait else {
                self.renewed.withLock { $0 = nil }
                return .follows
            }
            let held = state.held(lease, name: self.name, namespace: self.client.namespace, at: Date())
            if step == .create {
                try await self.client.create(.leases, held)
            } else {
                _ = try await self.client.replace(.leases, held)
            }
            self.renewed.withLock { $0 = asked }
            return .leads
        } catch let error as KubernetesError where error.isConflict {
            // Another was faster, or it has changed meanwhile: the next look tells.
            return .unknown
        } catch {
            if !Task.isCancelled { self.complain(error) }
            return .unknown
        }
    }
}

extension LeaseElection {
    /// Each half minute, however often it is tried.
    private func complain(_ error: any Error) {
        let isDue = self.complained.withLock { last in
            if let last, ContinuousClock.now - last < .seconds(30) { return false }
            last = .now
            return true
        }
        if isDue { self.logger.warning("the lease cannot be renewed", metadata: ["error": "\(error)"]) }
    }
}

/// Another process leads now.
package struct LeadershipLost: Error, CustomStringConvertible {
    package var description: String { "another operator leads now" }
}
