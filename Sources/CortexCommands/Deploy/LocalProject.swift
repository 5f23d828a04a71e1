import CortexControlPlane
import CortexSpec
import Foundation

/// A config file on this machine and the files beside it, checked as far as that can be done without a server.
struct LocalProject {
    let source: ConfigSource
    /// What a deploy sends; empty where the folder cannot be packed.
    let files: [ProjectFile]
    /// Nil where there are ``problems``.
    let config: ConfigFile?
    /// All that keeps it from being deployed: of the config file, of `.env` and of the folder.
    let problems: ProblemList
    /// What is accepted and has no effect.
    let warnings: ProblemList

    init(_ source: ConfigSource, environment: [String: String] = ProcessInfo.processInfo.environment) {
        var problems = ProblemList()
        var warnings = ProblemList()
        var sentences: [String] = []
        var packed: [ProjectFile]?
        do throws(ProjectError) {
            packed = try Self.pack(
                source.root,
                configFile: source.fileName,
                home: environment["HOME"],
                problems: &sentences
            )
        } catch {
            sentences.append(error.description)
        }

        var config: ConfigFile?
        // A folder that cannot be packed must not make every path of the config file look wrong as well.
        let entry =
            packed.map { ConfigCheck(files: $0.map(\.path)).entry(at:) } ?? { Self.entry(at: $0, in: source.root) }
        do throws(SpecError) {
            let paths = packed?.map(\.path) ?? []
            let parsed = try ConfigFile.parse(
                source.text,
                fileName: source.fileName,
                files: { paths },
                project: entry
            )
            warnings.add(parsed.warnings, in: source.text)
            config = parsed
        } catch {
            warnings.add(error.warnings, in: source.text)
            problems.add(error.problems, in: source.text)
        }
        Self.checkVariables(source.root, problems: &problems)
        for sentence in sentences { problems.add(sentence) }

        self.source = source
        self.files = packed ?? []
        self.config = problems.isEmpty ? config : nil
        self.problems = problems
        self.warnings = warnings
    }

    /// Shows warnings, and throws with every problem.
    func check(console: Console) throws(CommandFailure) {
        if !self.warnings.isEmpty { console.note(self.warnings.render(for: console)) }
        guard self.problems.isEmpty else { throw self.problems.failure(of: self.source.fileName, console: console) }
    }

    /// What a deploy sends of a folder.
    static func pack(
        _ root: String,
        configFile: String,
        home: String?,
        problems: inout [String]
    ) throws(ProjectError) -> [ProjectFile] {
        let path = "\(root)/.cortexignore"
        var patterns = IgnorePatterns("")
        if FileManager.default.fileExists(atPath: path) {
            do {
                patterns = IgnorePatterns(try String(contentsOfFile: path, encoding: .utf8))
            } catch {
                problems.append(".cortexignore: cannot be read; it must be a file of UTF-8 text")
            }
        }
        let packer = ProjectPacker(
            root: root,
            configFile: configFile,
            home: home,
            isIgnored: { [patterns] in patterns.matches(path: $0, isDirectory: $1) }
        )
        return try packer.files()
    }

    /// The environment variables of a project go to its workers, so that a mistake in them is best told now.
    private static func checkVariables(_ root: String, problems: inout ProblemList) {
        var isFolder: ObjCBool = false
        let path = "\(root)/.env"
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else { return }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            problems.add(".env: cannot be read; it must be a file of UTF-8 text")
            return
        }
        do throws(SpecError) {
            _ = try DotEnv.parse(text)
        } catch {
            problems.add(error.problems, in: text)
        }
    }

    private static func entry(at path: String, in root: String) -> CortexSpec.ProjectEntry {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder) else { return .missing }
        return isFolder.boolValue ? .folder : .file
    }
}
