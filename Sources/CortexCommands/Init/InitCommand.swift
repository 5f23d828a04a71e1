import ArgumentParser
import CortexSpec
import Foundation

/// `cortex init [TEMPLATE] [DIR]`: a project to begin with.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a project to begin with; never overwrites a file.",
        discussion: """
            Templates:
            \(ProjectTemplate.all.map { "  \($0.name.padded(to: 7))  \($0.abstract)" }.joined(separator: "\n"))

            Examples:
              cortex init
              cortex init iris flowers
            """
    )

    @Argument(
        help: "The template (default: \(ProjectTemplate.hello.name)).",
        completion: .list(ProjectTemplate.all.map(\.name))
    )
    var template: String?

    @Argument(help: "The folder (default: one of the template's name); made if need be.", completion: .directory)
    var folder: String?

    func run() throws {
        let console = Console.standard
        let name = self.template ?? ProjectTemplate.hello.name
        guard let template = ProjectTemplate.named(name) else {
            throw CommandFailure(
                "there is no template \(name); there are \(ProjectTemplate.all.map(\.name).joined(separator: ", "))",
                hint: "the folder comes second: cortex init \(ProjectTemplate.hello.name) \(name)",
                exitCode: 2
            )
        }
        let folder = self.folder ?? name
        let url = URL(filePath: folder).standardizedFileURL
        // A folder's name says better what the API is than the template's.
        let api = APIName(url.lastPathComponent).map(\.description) ?? template.name
        let files = template.files(api: api)
        try self.write(files, into: url, shown: folder)

        console.print("created \(folder)")
        let width = files.map(\.path.count).max() ?? 0
        for file in files { console.print("  \(file.path.padded(to: width))   \(file.purpose)") }
        let commands =
            (url.path(percentEncoded: false) == Self.workingFolder ? [] : ["cd \(Self.quoted(folder))"])
            + ["cortex deploy", "cortex predict \(api) \(template.sample)"]
        console.print("\nnext:\n" + commands.map { "  \($0)" }.joined(separator: "\n"))
        console.print("or, in the foreground and reloaded on save: cortex dev")
    }

    private func write(_ files: [ProjectTemplate.File], into folder: URL, shown: String) throws {
        let manager = FileManager.default
        let taken = files.map(\.path).filter {
            // A link to nothing would be written through.
            (try? manager.attributesOfItem(atPath: folder.appending(path: $0).path(percentEncoded: false))) != nil
        }
        guard taken.isEmpty else {
            throw CommandFailure(
                "\(shown) has \(taken.joined(separator: ", ")) already; nothing was written",
                hint: "name another folder: cortex init \(self.template ?? ProjectTemplate.hello.name) FOLDER"
            )
        }
        do {
            try manager.createDirectory(at: folder, withIntermediateDirectories: true)
            for file in files {
                try Data(file.text.utf8).write(to: folder.appending(path: file.path), options: .withoutOverwriting)
            }
        } catch {
            throw CommandFailure("cannot write into \(shown): \(error.localizedDescription)")
        }
    }

    private static var workingFolder: String {
        URL(filePath: FileManager.default.currentDirectoryPath).standardizedFileURL.path(percentEncoded: false)
    }

    /// As a shell reads it back.
    private static func quoted(_ path: String) -> String {
        let isPlain = path.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+".contains($0)) }
        return isPlain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
    }
}

extension String {
    /// The text, with blanks up to a length.
    fileprivate func padded(to length: Int) -> String {
        self + String(repeating: " ", count: max(0, length - self.count))
    }
}
