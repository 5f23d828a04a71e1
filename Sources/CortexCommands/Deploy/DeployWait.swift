import AsyncHTTPClient
import CortexControlPlane
import CortexSpec
import Foundation
import NIOCore

/// Waits for deployed APIs, shows what the server does meanwhile, and tells how each ended.
struct DeployWait {
    struct End {
        /// The API as it is at the end; nil where it was deleted meanwhile.
        var api: APIResponse?
        /// Nil where the deployment is live.
        var failure: CommandFailure?
    }

    private let client: OperatorClient
    private let console: Console
    private let limit: WaitLimit
    private let started = ContinuousClock.now

    /// - Parameter limit: For all APIs together, from now on.
    init(client: OperatorClient, console: Console, limit: WaitLimit) {
        self.client = client
        self.console = console
        self.limit = limit
    }

    /// - Parameters:
    ///   - api: As the deploy answered; its deployment is waited for.
    ///   - prints: Whether a good end is told on standard output. Failures always are, on standard error.
    mutating func wait(for api: APIResponse, prints: Bool) async throws -> End {
        let name = "\(api.spec.name)"
        let version = api.deployment.version
        var progress = ProgressLine(console: self.console)
        defer { progress.clear() }
        progress.show("\(name): starting")
        var lastEvent: Int64 = 0
        var step: String?
        // Short at first: where the environment is there, a small predictor is live in less than 200 ms.
        var pause = Duration.milliseconds(10)
        while true {
            for event in try await self.client.knownEvents(of: name, after: lastEvent) {
                lastEvent = event.id
                if event.version == version, event.kind != ProviderEvent.Kind.live.rawValue {
                    // A failure tells its first line here, and all of it when it is the end.
                    step = "\(name): \(event.message.prefix { !$0.isNewline })"
                    progress.show(step)
                }
            }
            guard let now = try await self.client.api(name) else {
                return self.end(nil, CommandFailure("\(name) was deleted while it was deployed"), &progress)
            }
            if let end = try await self.outcome(of: now, version: version, prints: prints, progress: &progress) {
                return end
            }
            guard ContinuousClock.now - self.started < self.limit.duration else {
                let failure = CommandFailure(
                    "\(name) is not live after \(self.limit); it goes on starting",
                    hint: "look again with `cortex get \(name)`, or wait longer with --timeout",
                    exitCode: 3
                )
                return self.end(now, failure, &progress)
            }
            // How far a download has come is for a line in motion only: elsewhere it would be a line each time.
            let passing = self.console.errorsAreTerminal ? now.status.progress.map { "\(name): \($0)" } : nil
            progress.show(passing ?? step)
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(100))
        }
    }

    /// Nil while the deployment comes up.
    private func outcome(
        of api: APIResponse,
        version: Int,
        prints: Bool,
        progress: inout ProgressLine
    ) async throws -> End? {
        let name = "\(api.spec.name)"
        guard api.deployment.version == version else {
            return self.end(api, CommandFailure("\(name): a newer deploy replaced this one"), &progress)
        }
        switch api.deployment.outcome {
        case "live":
            // A server that was just started tells of versions that were live before it.
            guard api.status.servingVersion == version else { return nil }
            progress.clear()
            if prints {
                let seconds = Double((ContinuousClock.now - self.started) / .milliseconds(1)) / 1000
                self.console.print("\(name) is live after \(String(format: "%.1f", seconds)) s: \(api.endpoint)")
            }
            return End(api: api)
        case "failed":
            let reason = api.deployment.reason ?? "the reason is in its log"
            var failure = CommandFailure("\(name) failed: \(reason)")
            if let serving = api.status.servingVersion {
                failure.hint = "version \(serving) still serves"
            }
            progress.clear()
            if api.spec.kind == .realtime { try await self.showLog(of: name, from: version, besides: reason) }
            return self.end(api, failure, &progress)
        default:
            return nil
        }
    }

    private func end(_ api: APIResponse?, _ failure: CommandFailure, _ progress: inout ProgressLine) -> End {
        progress.clear()
        self.console.error(failure)
        return End(api: api, failure: failure)
    }

    /// The last lines of an API's log that are of this version, where the traceback is.
    ///
    /// - Parameter reason: Told after them, and so not among them.
    private func showLog(of name: String, from version: Int, besides reason: String) async throws {
        var text: [UInt8] = []
        for try await buffer in try await self.client.logs(of: name, last: 1000, follow: false) {
            text += buffer.readableBytesView
        }
        let lines = FailureExcerpt.lines(of: String(decoding: text, as: UTF8.self), version: version, besides: reason)
        guard !lines.isEmpty else { return }
        self.console.note("last lines of `cortex logs \(name)`:")
        for line in lines.suffix(30) { self.console.note("  \(line)") }
    }
}

extension OperatorClient {
    /// Events after the one with the number `id`; none where the API has been deleted meanwhile.
    func knownEvents(of name: String, after id: Int64) async throws -> [EventRecord] {
        do {
            return try await self.events(of: name, after: id)
        } catch let refusal as Refusal where refusal.response.code == "API_NOT_FOUND" {
            return []
        }
    }
}
