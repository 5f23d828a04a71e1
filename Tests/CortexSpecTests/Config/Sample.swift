import CortexSpec

/// A project as the tests' configs see it.
enum Sample {
    static func project(_ path: String) -> ProjectEntry {
        switch path {
        case "predictor.py", "sample.json", "src/predictor.py": .file
        case "src", "lib": .folder
        case "secret.py": .excluded
        default: .missing
        }
    }

    /// The config, or the error with all its problems.
    static func parse(_ text: String, features: ReleaseFeatures = .current) throws(SpecError) -> ConfigFile {
        try ConfigFile.parse(text, fileName: "cortex.yaml", features: features, project: Self.project)
    }

    /// The lines that a config's problems print.
    static func problems(_ text: String, features: ReleaseFeatures = .current) -> [String] {
        do throws(SpecError) {
            _ = try Self.parse(text, features: features)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }
}
