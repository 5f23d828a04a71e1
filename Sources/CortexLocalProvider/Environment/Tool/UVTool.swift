#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The uv that makes environments.
package struct UVTool: Hashable, Sendable {
    package var path: String
    package var version: ToolVersion

    package init(path: String, version: ToolVersion) {
        self.path = path
        self.version = version
    }

    /// The first release with all options that are used here; an older one on `PATH` is passed over.
    package static let oldest = ToolVersion(major: 0, minor: 7, patch: 0)

    /// Finds `CORTEX_UV`, else uv on `PATH`, else the one in `tools`, which is installed there if need be.
    ///
    /// - Parameters:
    ///   - tools: `CORTEX_HOME/tools`.
    ///   - progress: Takes a line for each step of an installation.
    package static func find(
        in environment: ProcessEnvironment,
        tools: String,
        interpreter: PythonInterpreter,
        progress: (String) -> Void
    ) async throws -> UVTool {
        if let named = environment["CORTEX_UV"] {
            guard let path = environment.program(named: "CORTEX_UV"),
                let tool = try await Self.inspect(path, in: environment)
            else {
                throw EnvironmentError.noUV(reason: "CORTEX_UV is \(named), which is no uv of \(Self.oldest) or newer")
            }
            return tool
        }
        // A shim is there for a uv that its owner has not chosen, too: so it counts only if it answers.
        if let path = environment.executable("uv"), let tool = try await Self.inspect(path, in: environment) {
            return tool
        }
        if let tool = try await Self.installed(in: tools, environment: environment) { return tool }
        return try await Self.install(into: tools, interpreter: interpreter, in: environment, progress: progress)
    }

    /// The uv at `path`; nil where it does not run, or is too old.
    private static func inspect(_ path: String, in environment: ProcessEnvironment) async throws -> UVTool? {
        guard ProcessEnvironment.isExecutable(path) else { return nil }
        var lines: [String] = []
        let question = ToolCommand(executable: path, arguments: ["--version"], environment: environment)
        guard try await question.run(onLine: { lines.append($0) }) else { return nil }
        // `uv 0.13.9 (x86_64-unknown-linux-gnu)`
        guard let words = lines.last?.split(separator: " "), words.first == "uv", words.count > 1,
            let version = ToolVersion(words[1]), version >= Self.oldest
        else { return nil }
        return UVTool(path: path, version: version)
    }

    /// The newest that was installed here before.
    private static func installed(in tools: String, environment: ProcessEnvironment) async throws -> UVTool? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: tools)) ?? []
        let versions = names.compactMap { $0.hasPrefix("uv-") ? ToolVersion($0.dropFirst(3)) : nil }
        for version in versions.sorted(by: >) {
            if let tool = try await Self.inspect("\(tools)/uv-\(version)/uv", in: environment) { return tool }
        }
        return nil
    }

    private static func install(
        into tools: String,
        interpreter: PythonInterpreter,
        in environment: ProcessEnvironment,
        progress: (String) -> Void
    ) async throws -> UVTool {
        progress("installing uv")
        try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
        let folder = try BuildFolder(in: tools)
        var settings = environment
        settings.variables.merge(IndexSettings(environment: environment).variables) { $1 }
        let command = ToolCommand(
            executable: interpreter.path,
            // Isolated: neither the user's Python settings nor the folder we run in may come in between.
            arguments: ["-I", "-c", Self.installer, folder.path],
            environment: settings
        )
        var last: [String] = []
        let succeeded = try await command.run { line in
            progress(line)
            last = last.suffix(4) + [line]
        }
        guard succeeded else { throw EnvironmentError.noUV(reason: last.last ?? "the installer says nothing") }
        guard var tool = try await Self.installed(in: folder.path, environment: environment) else {
            throw EnvironmentError.noUV(reason: last.joined(separator: "; "))
        }
        let final = "\(tools)/uv-\(tool.version)"
        tool.path = "\(final)/uv"
        try folder.publish("uv-\(tool.version)", as: final) { ProcessEnvironment.isExecutable("\(final)/uv") }
        return tool
    }
}
