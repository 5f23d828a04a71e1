package import CortexSpec

/// Where the workers of one version of an API turn with what concerns their models.
///
/// It stands for whoever knows what is on disk: serving itself knows nothing of sources and versions.
package struct ModelDesk: Sendable {
    /// Whether workers are told of models at all: the others do not know of frames about them.
    package private(set) var hasModels = true
    /// The `models` of a `WELCOME`, as of now; called on the queue's event loop, must not wait.
    package var welcome: @Sendable () -> JSONValue
    /// Brings a version to disk and keeps it there for the worker.
    package var ensure: @Sendable (EnsureMessage, _ worker: String) async -> EnsuredMessage
    /// Hears of loads and unloads, in the order in which the worker told of them.
    package var report: @Sendable (ModelMessage, _ worker: String) async -> Void
    /// The worker is gone, and needs nothing any more.
    package var ended: @Sendable (_ worker: String) async -> Void

    package init(
        welcome: @escaping @Sendable () -> JSONValue,
        ensure: @escaping @Sendable (EnsureMessage, _ worker: String) async -> EnsuredMessage,
        report: @escaping @Sendable (ModelMessage, _ worker: String) async -> Void,
        ended: @escaping @Sendable (_ worker: String) async -> Void
    ) {
        self.welcome = welcome
        self.ensure = ensure
        self.report = report
        self.ended = ended
    }

    /// The desk of an API without models: nothing is there.
    package static let none: ModelDesk = {
        var desk = Self.refusing
        desk.hasModels = false
        return desk
    }()

    private static let refusing = ModelDesk(
        welcome: { .null },
        ensure: { message, _ in
            .failed(code: "MODEL_NOT_FOUND", error: "no models are configured, so there is no \(message.model)")
        },
        report: { _, _ in },
        ended: { _ in }
    )
}
