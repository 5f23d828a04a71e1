import Foundation
import PackagePlugin

/// Runs `embed-worker` over the Python packages of `python/src` before `CortexServing` is compiled.
@main
struct EmbedWorker: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let root = context.package.directoryURL
        let sources = root.appending(path: "python/src")
        let output = context.pluginWorkDirectoryURL.appending(path: "WorkerSources.swift")
        return [
            .buildCommand(
                displayName: "Embed the Python worker and the storage agent",
                executable: try context.tool(named: "embed-worker").url,
                arguments: [sources.path(percentEncoded: false), output.path(percentEncoded: false)],
                inputFiles: try pythonFiles(below: sources),
                outputFiles: [output]
            )
        ]
    }

    private func pythonFiles(below directory: URL) throws -> [URL] {
        let manager = FileManager.default
        let names = try manager.subpathsOfDirectory(atPath: directory.path(percentEncoded: false))
        return names.filter { $0.hasSuffix(".py") || $0.hasSuffix("py.typed") }.sorted()
            .map { directory.appending(path: $0) }
    }
}
