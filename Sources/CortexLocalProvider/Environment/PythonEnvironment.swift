/// An environment that holds what a project's workers import.
package struct PythonEnvironment: Hashable, Sendable {
    package var key: EnvironmentKey
    /// The folder of the build that made it; nothing in it changes once it is there.
    let build: String
    /// While it lives nobody takes the environment away.
    let lease: FolderLease

    /// What Python calls its prefix.
    package var folder: String { "\(self.build)/env" }

    /// The interpreter that starts a worker.
    package var python: String { "\(self.folder)/bin/python" }

    /// Puts what the project's `dependencies.sh` made in the project's folder into another folder of that project.
    func addMadeFiles(to projectFolder: String) throws {
        try ProjectCopy(build: self.build).addMadeFiles(to: projectFolder)
    }

    /// Two of one build are the same environment, whoever keeps them.
    package static func == (left: Self, right: Self) -> Bool {
        left.key == right.key && left.build == right.build
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.key)
    }
}
