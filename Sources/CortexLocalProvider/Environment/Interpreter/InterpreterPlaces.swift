import Foundation

/// Where on a machine Pythons may be.
struct InterpreterPlaces: Sendable {
    private let variables: ProcessEnvironment

    init(_ variables: ProcessEnvironment) {
        self.variables = variables
    }

    /// Paths that may be a Python, in the order in which they are to be tried.
    ///
    /// First what the user calls `python3`; then those that are named after a version, newest first; each path once.
    func candidates() -> [String] {
        var named = self.onPath.flatMap { folder in
            Self.names(in: folder).compactMap { name in
                Self.version(of: name, after: "python").map { (path: "\(folder)/\(name)", version: $0) }
            }
        }
        for (folder, prefix, program) in self.collections {
            for name in Self.names(in: folder) {
                guard let version = Self.version(of: name, after: prefix) else { continue }
                named.append(("\(folder)/\(name)/bin/\(program)", version))
            }
        }
        let sorted = named.sorted { $1.version.lexicographicallyPrecedes($0.version) }.map(\.path)
        let plain = self.onPath.flatMap { ["\($0)/python3", "\($0)/python"] }
        var seen: Set<String> = []
        return (plain + sorted).filter { seen.insert($0).inserted && ProcessEnvironment.isExecutable($0) }
    }

    /// Also where a server started by a service manager, whose `PATH` is short, would miss a Python.
    private var onPath: [String] {
        let path = (self.variables["PATH"] ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        return path + ["/usr/local/bin", "/opt/homebrew/bin", "/usr/bin", "/bin"].filter { !path.contains($0) }
    }

    /// Folders with one Python in each folder: what comes before the version in its name, and the program.
    private var collections: [(folder: String, prefix: String, program: String)] {
        let home = self.variables["HOME"] ?? "/"
        let data = self.variables["XDG_DATA_HOME"] ?? "\(home)/.local/share"
        return [
            ("\(self.variables["PYENV_ROOT"] ?? "\(home)/.pyenv")/versions", "", "python3"),
            (self.variables["UV_PYTHON_INSTALL_DIR"] ?? "\(data)/uv/python", "cpython-", "python3"),
            ("/Library/Frameworks/Python.framework/Versions", "", "python3"),
        ]
    }

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
    }

    /// `3.10` in `python3.10`; nil for what is named otherwise, such as `python3.10-config`, and for free-threaded builds.
    private static func version(of name: String, after prefix: String) -> [Int]? {
        guard name.hasPrefix(prefix) else { return nil }
        var text = name.dropFirst(prefix.count)
        if prefix == "cpython-" { text = text.prefix { $0 != "-" } }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int($0) }
        return numbers.count == parts.count && numbers.count >= 2 && numbers[0] == 3 ? numbers : nil
    }
}
