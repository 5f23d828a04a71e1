/// A virtual environment that holds what a project's workers import.
package struct PythonEnvironment: Hashable, Sendable {
    package var key: EnvironmentKey
    /// The environment's folder; never changes once it is there.
    package var folder: String
    /// While it lives nobody takes the environment away.
    let lease: FolderLease

    /// The interpreter that starts a worker.
    package var python: String { "\(self.folder)/bin/python" }

    /// Two of one key are the same environment, whoever keeps them.
    package static func == (left: Self, right: Self) -> Bool {
        left.key == right.key && left.folder == right.folder
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.key)
    }
}
