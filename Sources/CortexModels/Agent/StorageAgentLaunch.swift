/// How to start the storage agent.
package struct StorageAgentLaunch: Sendable {
    /// Makes sure that an environment with ``StorageAgent/requirements`` is there, and gives its interpreter; what it does
    /// meanwhile goes to the closure that it gets.
    package var python: @Sendable (_ progress: @escaping @Sendable (String) -> Void) async throws -> String
    /// The folder with the unpacked sources, which holds `cortex-storage.py`.
    package var package: String
    /// The Unix socket to listen on: a short path, in a folder of mode 0700.
    package var socket: String
    /// The variables of the server: the user's credentials are among them.
    package var environment: [String: String]
    /// Hears of the process, so that the next server can end it where this one cannot.
    package var started: @Sendable (_ pid: Int32) -> Void
    package var ended: @Sendable (_ pid: Int32) -> Void

    package init(
        python: @escaping @Sendable (_ progress: @escaping @Sendable (String) -> Void) async throws -> String,
        package: String,
        socket: String,
        environment: [String: String],
        started: @escaping @Sendable (_ pid: Int32) -> Void = { _ in },
        ended: @escaping @Sendable (_ pid: Int32) -> Void = { _ in }
    ) {
        self.python = python
        self.package = package
        self.socket = socket
        self.environment = environment
        self.started = started
        self.ended = ended
    }
}
