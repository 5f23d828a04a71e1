#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What a project asks for itself: its `requirements.txt` with the files that it includes; where it has none, the
/// dependencies in its `pyproject.toml` or `setup.py`.
package struct RequirementFiles: Hashable, Sendable {
    /// One file as it is; what is missing is left for uv to complain about.
    package struct File: Hashable, Sendable {
        /// Relative to the project.
        package var path: String
        package var content: [UInt8]
    }

    /// A line of a file that asks for something, or sets something.
    struct Entry: Hashable, Sendable {
        var file: String
        var line: RequirementLine

        /// Such as `requirements.txt:3`, so that editors can jump to it.
        var place: String { "\(self.file):\(self.line.number)" }
    }

    /// The one at the root first; empty where the project has none.
    package private(set) var files: [File] = []
    /// The packages that lines ask for by name, in lower case with `-` for each run of `-`, `_` and `.` (PEP 503).
    package private(set) var names: Set<String> = []
    /// Whether some requirement is itself in the project, such as `-e .`.
    package private(set) var leadIntoProject = false
    /// All lines, in the order in which the files were read.
    private(set) var entries: [Entry] = []
    /// Whether something is installed in place, so that its sources must stay.
    private(set) var hasEditables = false
    /// Whether everything that is installed with these files must have a hash in them.
    private(set) var requireHashes = false
    /// What `pyproject.toml` says; nil where there is none.
    private(set) var pyProject: PyProject?
    /// The file at the project's root that uv is given; nil where nothing is asked for.
    private(set) var root: String?

    /// The name of the file at the project's root.
    package static let rootFile = "requirements.txt"

    /// No requirements.
    package init() {}

    package init(projectFolder: String) {
        let pyProject = FileManager.default.contents(atPath: "\(projectFolder)/\(Self.pyProjectFile)").map(Array.init)
        self.pyProject = pyProject.map { PyProject($0) }
        self.readRequirements(projectFolder)
        if self.files.isEmpty {
            self.readPackage(projectFolder, pyProject)
        } else if let pyProject, self.pyProject?.hasToolSettings == true {
            self.files.append(File(path: Self.pyProjectFile, content: pyProject))
        }
        self.names = Set(self.entries.compactMap(\.line.name))
    }

    private static let pyProjectFile = "pyproject.toml"
    private static let setupFile = "setup.py"

    private mutating func readRequirements(_ projectFolder: String) {
        var waiting = [Self.rootFile]
        var seen: Set<String> = []
        while let path = waiting.popLast() {
            let location = path.hasPrefix("/") ? path : "\(projectFolder)/\(path)"
            guard seen.insert(path).inserted, let content = FileManager.default.contents(atPath: location) else {
                continue
            }
            self.root = Self.rootFile
            self.files.append(File(path: path, content: Array(content)))
            for line in RequirementLine.all(of: content) {
                self.entries.append(Entry(file: path, line: line))
                switch line.kind {
                case .includes(let file): waiting.append(Self.resolve(file, besides: path))
                case .leadsIntoProject(let isEditable):
                    self.leadIntoProject = true
                    self.hasEditables = self.hasEditables || isEditable
                case .requiresHashes: self.requireHashes = true
                case .other: break
                }
            }
        }
    }

    /// Without a `requirements.txt`: what the project's own package depends on.
    private mutating func readPackage(_ projectFolder: String, _ content: [UInt8]?) {
        let hasSetup = ["setup.py", "setup.cfg"].map {
            FileManager.default.fileExists(atPath: "\(projectFolder)/\($0)")
        }
        if let content, let pyProject = self.pyProject {
            let isBuilt = pyProject.hasBuildSystem && (hasSetup.contains(true) || pyProject.isOfOtherTool)
            if !pyProject.dependencies.isEmpty || pyProject.isDynamic || isBuilt {
                self.root = Self.pyProjectFile
                self.files = [File(path: Self.pyProjectFile, content: content)]
                self.entries = pyProject.dependencies.map { Entry(file: Self.pyProjectFile, line: $0) }
                // A build may look at any file, and a source of uv's may be one.
                self.leadIntoProject =
                    pyProject.isDynamic || pyProject.dependencies.isEmpty || pyProject.hasToolSettings
                return
            }
        }
        guard hasSetup[0], let setup = FileManager.default.contents(atPath: "\(projectFolder)/\(Self.setupFile)") else {
            return
        }
        self.root = Self.setupFile
        self.files = [File(path: Self.setupFile, content: Array(setup))]
        self.leadIntoProject = true
    }

    /// The variables whose values are a part of some line.
    var variables: Set<String> { Set(self.entries.flatMap(\.line.variables)) }

    /// What lines say of the places that packages come from, as options: `--find-links=wheels`.
    var places: [String] {
        let options = ["--index-url", "--extra-index-url", "--find-links", "--no-index", "-i", "-f"]
        return self.entries.compactMap { entry in
            let words = entry.line.text.split(maxSplits: 1) { $0.isWhitespace || $0 == "=" }
            guard let name = words.first.map(String.init), options.contains(name) else { return nil }
            let long = ["-i": "--index-url", "-f": "--find-links"][name] ?? name
            return words.count > 1 ? "\(long)=\(words[1].drop { $0.isWhitespace || $0 == "=" })" : long
        }
    }

    /// How many packages are asked for by name.
    var count: Int { self.entries.count { $0.line.name != nil } }

    /// The first line that asks for a package of that name, however it is spelt.
    func entry(asking name: some StringProtocol) -> Entry? {
        let name = RequirementLine.normalized(name)
        return self.entries.first { $0.line.name == name }
    }

    /// A path in the file at `path`, as one relative to the project; in one spelling, so that a circle of files ends.
    private static func resolve(_ file: String, besides path: String) -> String {
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        let joined = file.hasPrefix("/") ? file : "\(folder)/\(file)"
        var parts: [Substring] = []
        for part in joined.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else {
                parts.append(part)
            }
        }
        let isAbsolute = file.hasPrefix("/") || path.hasPrefix("/")
        return (isAbsolute ? "/" : "") + parts.joined(separator: "/")
    }
}
