import CFileStatus

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The variables that tools are found by and started with.
package struct ProcessEnvironment: Hashable, Sendable {
    /// By name.
    package var variables: [String: String]

    package init(_ variables: [String: String]) {
        self.variables = variables
    }

    /// This process's own.
    package static var current: ProcessEnvironment {
        ProcessEnvironment(ProcessInfo.processInfo.environment)
    }

    /// A variable's value; one that is empty counts as not set.
    package subscript(_ name: String) -> String? {
        get { self.variables[name].flatMap { $0.isEmpty ? nil : $0 } }
        set { self.variables[name] = newValue }
    }

    /// The first executable of that name on `PATH`; relative parts of `PATH` are passed over.
    package func executable(_ name: String) -> String? {
        let folders = self["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return folders.split(separator: ":").lazy
            .filter { $0.hasPrefix("/") }
            .map { "\($0)/\(name)" }
            .first(where: Self.isExecutable)
    }

    /// The program that a variable such as `CORTEX_PYTHON` names: a path, or a name to be looked for on `PATH`.
    ///
    /// - Returns: An absolute path; nil for a name that is not on `PATH`, and where the variable is not set.
    package func program(named variable: String) -> String? {
        guard let name = self[variable] else { return nil }
        guard name.contains("/") else { return self.executable(name) }
        return name.hasPrefix("/") ? name : "\(FileManager.default.currentDirectoryPath)/\(name)"
    }

    /// Whether `path` is a file that this user may execute.
    package static func isExecutable(_ path: String) -> Bool {
        var status = FileStatus()
        return cortex_stat(path, &status) == 0 && status.mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}
