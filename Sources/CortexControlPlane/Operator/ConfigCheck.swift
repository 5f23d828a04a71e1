package import CortexSpec

/// Reads a config file against the files of its project.
package struct ConfigCheck: Sendable {
    private let files: Set<String>
    private let paths: [String]
    private let folders: Set<String>

    /// - Parameter files: Paths of the project's packaged files.
    package init(files: [String]) {
        self.files = Set(files)
        self.paths = files
        var folders: Set<String> = []
        for file in files {
            var parent = file[...]
            while let slash = parent.lastIndex(of: "/") {
                parent = parent[..<slash]
                // Its own parents are known already.
                guard folders.insert(String(parent)).inserted else { break }
            }
        }
        self.folders = folders
    }

    /// What the project holds at a path.
    package func entry(at path: String) -> CortexSpec.ProjectEntry {
        let path = path.hasSuffix("/") ? String(path.dropLast()) : path
        if self.files.contains(path) { return .file }
        return self.folders.contains(path) ? .folder : .missing
    }

    /// A file, read against the project.
    package func config(in text: String, file: String) throws(SpecError) -> ConfigFile {
        try ConfigFile.parse(text, fileName: file, files: { self.paths }, project: self.entry(at:))
    }

    /// The APIs of a file, in its order.
    ///
    /// Throws ``InvalidConfig`` with every problem of the file.
    package func specs(in text: String, file: String) throws -> [APISpec] {
        do {
            return try self.config(in: text, file: file).apis
        } catch {
            throw InvalidConfig(error, text: text)
        }
    }
}

/// A config file that is refused, with each problem ready to be shown.
package struct InvalidConfig: Error, Hashable {
    package var problems: [ConfigProblem]

    init(_ error: SpecError, text: String) {
        let report = ProblemReport(text: text, colour: false)
        self.problems = error.problems.map { problem in
            ConfigProblem(
                file: problem.file,
                line: problem.position.line,
                column: problem.position.column,
                api: problem.api,
                field: problem.field,
                message: problem.message,
                allowed: problem.allowed,
                hint: problem.hint,
                rendered: report.render([problem])
            )
        }
    }

    /// One sentence for all.
    package var summary: String {
        let file = self.problems.first?.file ?? "the config file"
        return self.problems.count == 1 ? "\(file) has a problem" : "\(file) has \(self.problems.count) problems"
    }
}
