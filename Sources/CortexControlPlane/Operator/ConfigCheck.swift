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

    /// The resources of a file, in its order, splitters last.
    ///
    /// Throws ``InvalidConfig`` with every problem of the file.
    package func specs(in text: String, file: String) throws -> [ResourceSpec] {
        do {
            return try self.config(in: text, file: file).resources
        } catch {
            throw InvalidConfig(error.problems, text: text)
        }
    }

    /// Says where in the file the fields stand that something is wrong with.
    ///
    /// Throws ``InvalidConfig`` unless there are only warnings.
    /// - Returns: The warnings, in the order of the file, by API.
    static func warnings(
        among problems: [APIName: [FieldProblem]],
        in text: String,
        file: String
    ) throws(InvalidConfig) -> [String: [ConfigProblem]] {
        guard !problems.isEmpty else { return [:] }
        let positions = FieldPositions(of: text)
        let placed = problems.flatMap { api, problems in
            problems.map { SpecProblem($0, of: api, file: file, at: positions.position(of: $0.field, api: api)) }
        }
        // Stable, so that what is wrong in one place stays in its order.
        let ordered = placed.enumerated().sorted { ($0.element.position, $0.offset) < ($1.element.position, $1.offset) }
            .map(\.element)
        let errors = ordered.filter { $0.severity == .error }
        guard errors.isEmpty else { throw InvalidConfig(errors, text: text) }
        let report = ProblemReport(text: text, colour: false)
        return Dictionary(grouping: ordered) { $0.api ?? "" }.mapValues { warnings in
            warnings.map { ConfigProblem($0, report: report) }
        }
    }
}

/// A config file that is refused, with each problem ready to be shown.
package struct InvalidConfig: Error, Hashable {
    package var problems: [ConfigProblem]

    init(_ problems: [SpecProblem], text: String) {
        let report = ProblemReport(text: text, colour: false)
        self.problems = problems.map { ConfigProblem($0, report: report) }
    }

    /// One sentence for all.
    package var summary: String {
        let file = self.problems.first?.file ?? "the config file"
        return self.problems.count == 1 ? "\(file) has a problem" : "\(file) has \(self.problems.count) problems"
    }
}

extension ConfigProblem {
    /// - Parameter report: Of the text that the problem is of.
    fileprivate init(_ problem: SpecProblem, report: ProblemReport) {
        self.init(
            file: problem.file,
            line: problem.position.line,
            column: problem.position.column,
            api: problem.api,
            field: problem.field,
            message: problem.message,
            allowed: problem.allowed,
            hint: problem.hint,
            detail: problem.detail,
            rendered: report.render([problem])
        )
    }
}

extension SpecProblem {
    fileprivate init(_ problem: FieldProblem, of api: APIName, file: String, at position: SourcePosition) {
        self.init(
            severity: problem.severity,
            file: file,
            position: position,
            api: api.description,
            field: problem.field,
            message: problem.message,
            allowed: problem.allowed,
            detail: problem.detail
        )
    }
}
