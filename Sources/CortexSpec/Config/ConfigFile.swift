/// A `cortex.yaml` that was read and found right.
package struct ConfigFile: Hashable, Sendable {
    /// In the order of the file, defaults filled in.
    package var apis: [APISpec]
    package var splitters: [TrafficSplitterSpec]
    /// What is accepted and does nothing here, in the order of the file.
    package var warnings: [SpecProblem]

    /// All that is to be deployed, in its order: splitters after what they lead to.
    package var resources: [ResourceSpec] {
        self.apis.map { .api($0) } + self.splitters.map { .splitter($0) }
    }

    /// Reads and checks the text of a `cortex.yaml`.
    ///
    /// - Parameters:
    ///   - fileName: What problems call the file.
    ///   - features: What may be asked for; the release's own unless told.
    ///   - files: All paths of the project, for telling which one was probably meant.
    ///   - project: What the project holds at a path; called with relative paths without `.` and `..` only.
    /// - Throws: All problems of the file at once, ordered by their places.
    package static func parse(
        _ text: String,
        fileName: String,
        features: ReleaseFeatures = .current,
        files: @escaping () -> [String] = { [] },
        project: @escaping (String) -> ProjectEntry
    ) throws(SpecError) -> ConfigFile {
        let log = ProblemLog(file: fileName)
        var config = ConfigFile(apis: [], splitters: [], warnings: [])
        let context = ReadingContext(features: features, files: files, project: project)
        if let items = ConfigDocument.items(of: text, log: log) {
            for (index, item) in items.enumerated() {
                ResourceReader(item, index: index, log: log, context: context).read(into: &config)
            }
            ResourceNames.check(items, log: log)
            SplitterTargets.check(items, log: log)
        }
        let (problems, warnings) = log.sorted
        guard problems.isEmpty else { throw SpecError(problems: problems, warnings: warnings) }
        config.warnings = warnings
        return config
    }
}
