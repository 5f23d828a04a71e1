import CortexControlPlane
import CortexSpec
import Foundation

/// A config file on this machine, and the files beside it that a deploy sends.
struct LocalProject {
    let text: String
    let fileName: String
    let files: [ProjectFile]

    /// - Parameter config: The config file's path.
    init(config: String, environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        let url = URL(filePath: config).standardizedFileURL
        let path = url.path(percentEncoded: false)
        self.fileName = url.lastPathComponent
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CommandFailure(
                "there is no \(config)",
                hint: "name the config file (cortex deploy path/to/cortex.yaml), or change to its folder"
            )
        }
        guard !isFolder.boolValue else {
            throw CommandFailure("\(config) is a folder", hint: "name the config file in it, such as cortex.yaml")
        }
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw CommandFailure("cannot read \(config): \(error.localizedDescription)")
        }
        guard data.count <= 1 << 20 else {
            throw CommandFailure("\(config) is larger than 1 MiB; is it a config file?")
        }
        guard let text = String(data: data, encoding: .utf8) else { throw CommandFailure("\(config) is not UTF-8") }
        self.text = text

        let root = url.deletingLastPathComponent().path(percentEncoded: false)
        let ignored = try? String(contentsOfFile: "\(root)/.cortexignore", encoding: .utf8)
        let patterns = IgnorePatterns(ignored ?? "")
        let packer = ProjectPacker(
            root: root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root,
            configFile: self.fileName,
            home: environment["HOME"],
            isIgnored: { patterns.matches(path: $0, isDirectory: $1) }
        )
        do {
            self.files = try packer.files()
        } catch {
            throw CommandFailure(error.description)
        }
    }

    /// Checks the config file before anything is sent or started, and shows warnings.
    ///
    /// Throws with every problem of the file.
    func check(console: Console) throws {
        let report = ProblemReport(text: self.text, colour: console.usesColourInErrors)
        // Carets are for people; a script gets a line for each problem.
        func shown(_ problems: [SpecProblem]) -> String {
            console.errorsAreTerminal
                ? report.render(problems) : problems.map(\.description).joined(separator: "\n")
        }
        let entries = ConfigCheck(files: self.files.map(\.path))
        do {
            let warnings = try ConfigFile.parse(self.text, fileName: self.fileName, project: entries.entry(at:))
                .warnings
            if !warnings.isEmpty { console.note(shown(warnings)) }
        } catch {
            if !error.warnings.isEmpty { console.note(shown(error.warnings)) }
            let count = error.problems.count == 1 ? "a problem" : "\(error.problems.count) problems"
            throw CommandFailure("\(self.fileName) has \(count)\n\(shown(error.problems))")
        }
    }
}
