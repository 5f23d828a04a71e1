#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The conda of this machine, which installs what `conda-packages.txt` names.
struct CondaTool: Hashable, Sendable {
    /// The name of the file at the project's root.
    static let file = "conda-packages.txt"

    /// Those that are looked for on `PATH`, the fastest first.
    static let names = ["micromamba", "mamba", "conda"]

    let path: String
    let name: String

    /// - Throws: ``EnvironmentError`` where the machine has none.
    static func find(in environment: ProcessEnvironment) throws(EnvironmentError) -> CondaTool {
        for name in Self.names {
            if let path = environment.executable(name) { return CondaTool(path: path, name: name) }
        }
        throw .noConda
    }

    /// Arguments that make an environment in `prefix`.
    ///
    /// - Parameters:
    ///   - packages: A file that names what it is to have; nil for none.
    ///   - python: The Python that it is to have; nil where the file says.
    func arguments(creating prefix: String, packages: String?, python: String?) -> [String] {
        let arguments =
            ["create", "--yes", "--prefix", prefix] + self.channels + (packages.map { ["--file", $0] } ?? [])
        return arguments + (python.map { packages == nil ? [$0, "pip"] : [$0] } ?? [])
    }

    /// Arguments that install what the file at `packages` names.
    func arguments(installingInto prefix: String, packages: String) -> [String] {
        ["install", "--yes", "--prefix", prefix] + self.channels + ["--file", packages]
    }

    /// micromamba knows no channel of its own.
    private var channels: [String] {
        self.name == "micromamba" ? ["--channel", "conda-forge"] : []
    }

    /// Whether a `conda-packages.txt` asks for a Python itself.
    static func asksForPython(_ content: some Collection<UInt8>) -> Bool {
        self.pythonSpec(content) != nil
    }

    /// The Python that a `conda-packages.txt` asks for, in whatever channel: `python=3.10`.
    static func pythonSpec(_ content: some Collection<UInt8>) -> String? {
        RequirementLine.all(of: content).lazy.map(\.text).first { text in
            let spec = text.split(separator: "::").last ?? ""
            return spec.prefix { $0.isLetter || $0.isNumber || "-_.".contains($0) } == "python"
        }
    }

    /// Why a run failed, with the line that names the package that it could not find.
    func failure(of lines: [String], packages: [UInt8]) -> BuildFailure {
        let text = lines.joined(separator: " ")
        let missing = Self.missing(in: lines)
        let line = RequirementLine.all(of: packages).first { line in
            let bare = line.text.split(separator: "::").last.map(String.init) ?? line.text
            let name = bare.prefix { $0.isLetter || $0.isNumber || "-_.".contains($0) }
            return missing.contains(name.lowercased())
        }
        let isAway = text.contains("CondaHTTPError") || text.contains("Could not resolve host")
        var reason = "\(self.name) cannot install it"
        if line != nil {
            reason =
                "\(self.name) finds no such package, or not that release of it, in its channels; "
                + "is it misspelt, or in another one (`channel::package`)?"
        } else if let name = missing.first {
            reason = "\(self.name) finds no \(name), which one of its packages needs"
        } else if isAway {
            reason = "\(self.name) cannot reach its channels"
        }
        return BuildFailure(
            place: line.map { "\(Self.file):\($0.number)" } ?? Self.file,
            subject: line?.text,
            reason: reason,
            isTransient: isAway && line == nil
        )
    }

    /// The packages that a run could not find, and those that need them, in lower case.
    private static func missing(in lines: [String]) -> [String] {
        var names: [String] = []
        var isInList = false
        for line in lines {
            // conda lists them below its error, as `  - conda-forge::name=1.0`.
            if line.contains("PackagesNotFound") { isInList = true }
            if isInList, let name = line.firstMatch(of: /^\s+- (?:[^\s:]+::)?([\w.-]+)/)?.1 {
                names.append(name.lowercased())
            }
            // The channels that were looked in are such a list too.
            if line.contains("Current channels") { isInList = false }
            if let match = line.firstMatch(of: /nothing provides (?:requested )?([\w.-]+)(?:.* needed by ([\w.]+))?/) {
                names += [match.2, match.1].compactMap { $0?.lowercased() }
            }
            // libmamba draws a tree: `└─ name =1.0 * does not exist (perhaps a typo or a missing channel).`
            if let name = line.firstMatch(of: /(?:^|[─\s])([A-Za-z0-9_][\w.-]*)(?: [^\s─]+){0,3} does not exist/)?.1 {
                names.append(name.lowercased())
            }
        }
        return names
    }
}
