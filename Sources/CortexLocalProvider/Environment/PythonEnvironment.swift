/// A virtual environment that holds what a project's workers import.
package struct PythonEnvironment: Hashable, Sendable {
    package var key: EnvironmentKey
    /// The environment's folder; never changes once it is there.
    package var folder: String

    /// The interpreter that starts a worker.
    package var python: String { "\(self.folder)/bin/python" }
}
