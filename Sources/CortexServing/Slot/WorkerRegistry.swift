package import CortexSpec
import Synchronization

/// The workers that may connect: who they are, what they are told, who hears them.
package final class WorkerRegistry: Sendable {
    struct Expected: Sendable {
        var token: String
        /// The replica that it is of.
        var replica: String
        var welcome: WelcomeMessage
        /// The models that the worker is told of when it connects.
        var models: @Sendable () -> JSONValue
        var report: @Sendable (WorkerReport) -> Void
    }

    private let expected = Mutex<[String: Expected]>([:])

    package init() {}

    package func expect(
        _ worker: String,
        of replica: String,
        token: String,
        welcome: WelcomeMessage,
        models: @escaping @Sendable () -> JSONValue = { .null },
        report: @escaping @Sendable (WorkerReport) -> Void
    ) {
        let expected = Expected(token: token, replica: replica, welcome: welcome, models: models, report: report)
        self.expected.withLock { $0[worker] = expected }
    }

    package func forget(_ worker: String) {
        self.expected.withLock { $0[worker] = nil }
    }

    func worker(named name: String, token: String) throws(WorkerError) -> Expected {
        guard let worker = self.expected.withLock({ $0[name] }), Self.equal(worker.token, token) else {
            throw .unknownWorker
        }
        return worker
    }

    /// Takes the same time wherever the texts differ.
    private static func equal(_ lhs: String, _ rhs: String) -> Bool {
        guard lhs.utf8.count == rhs.utf8.count else { return false }
        return zip(lhs.utf8, rhs.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
