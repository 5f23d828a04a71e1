import CortexSpec
import Foundation

/// Who leads, as a lease tells; decides, and does nothing itself.
///
/// Clocks of machines differ: how long ago a holder renewed is measured by when this process saw the lease change.
struct LeaseState: Hashable, Sendable {
    /// What is to be done with the lease that was read.
    enum Step: Hashable, Sendable {
        /// There is none.
        case create
        /// It is ours, or nobody's, or its holder has gone: write our name into it.
        case take
        case wait
    }

    let identity: String
    let duration: Duration
    /// The last change of another's lease, and when it was seen.
    private var seen: Seen?

    private struct Seen: Hashable {
        var resourceVersion: String
        var at: Duration
    }

    init(identity: String, duration: Duration) {
        self.identity = identity
        self.duration = duration
    }

    /// - Parameter now: On a steady clock.
    mutating func step(for lease: KubernetesObject?, now: Duration) -> Step {
        guard let lease else { return .create }
        let holder = lease["spec", "holderIdentity"]?.string ?? ""
        if holder.isEmpty || holder == self.identity { return .take }
        let version = lease.resourceVersion ?? ""
        guard let seen = self.seen, seen.resourceVersion == version else {
            self.seen = Seen(resourceVersion: version, at: now)
            return .wait
        }
        let theirs = lease["spec", "leaseDurationSeconds"]?.int.map { Duration.seconds($0) } ?? self.duration
        return now - seen.at >= theirs ? .take : .wait
    }

    /// The lease as it is when this process holds it.
    func held(_ lease: KubernetesObject?, name: String, namespace: String, at now: Date) -> KubernetesObject {
        var object =
            lease
            ?? KubernetesObject([
                "apiVersion": .string(KubernetesResource.leases.apiVersion),
                "kind": .string(KubernetesResource.leases.kind),
                "metadata": ["name": .string(name), "namespace": .string(namespace)],
            ])
        let isNew = lease?["spec", "holderIdentity"]?.string != self.identity
        object["spec", "holderIdentity"] = .string(self.identity)
        object["spec", "leaseDurationSeconds"] = .int(self.duration.components.seconds)
        object["spec", "renewTime"] = .string(KubernetesTime.text(now))
        if isNew {
            object["spec", "acquireTime"] = .string(KubernetesTime.text(now))
            let transitions = lease?["spec", "leaseTransitions"]?.int ?? -1
            object["spec", "leaseTransitions"] = .int(Int64(transitions + 1))
        }
        return object
    }
}
