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
        let missing = RequirementLine.all(of: packages).first { line in
            let bare = line.text.split(separator: "::").last.map(String.init) ?? line.text
            let name = bare.prefix { $0.isLetter || $0.isNumber || "-_.".contains($0) }
            return text.contains("\(name) ") && (text.contains("does not exist") || text.contains("nothing provides"))
                || text.contains("PackagesNotFoundError") && text.contains("- \(name)")
        }
        return BuildFailure(
            place: missing.map { "\(Self.file):\($0.number)" } ?? Self.file,
            subject: missing?.text,
            reason: "\(self.name) cannot install it",
            isTransient: text.contains("CondaHTTPError") || text.contains("Could not resolve host")
        )
    }
}
