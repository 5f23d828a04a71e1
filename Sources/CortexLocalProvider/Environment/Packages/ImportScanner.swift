import CortexControlPlane
import CortexServing
import CortexSpec
import Crypto

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Finds what projects import by reading their sources with the Python that will run them; nothing of theirs is run.
///
/// What was found is kept, since a project's hash stands for its sources: a second deploy starts no Python.
struct ImportScanner: Sendable {
    /// Where results are kept.
    let cache: String
    /// Where the worker's package is unpacked, which the scanner is a part of.
    let tools: String

    /// Results that are kept; when there are more, the older half goes.
    private static let mostResults = 1_000

    /// What the predictor of `request` imports.
    ///
    /// Where its sources cannot be read nothing is found: what is missing then is found out by the worker.
    func imports(of request: EnvironmentRequest, interpreter: PythonInterpreter) async throws -> ProjectImports {
        let package = try WorkerPackage.unpack(below: self.tools)
        let predictor = request.spec.predictor
        let kept = "\(self.cache)/\(Self.name(request, interpreter, package))"
        if let text = FileManager.default.contents(atPath: kept) {
            return ProjectImports(lines: String(decoding: text, as: UTF8.self).split(separator: "\n"))
        }
        let script = "\(package.hasSuffix("/") ? package : package + "/")cortex-imports.py"
        let scan = ToolCommand(
            executable: interpreter.path,
            // Without the user's settings and packages: neither may come in between.
            arguments: ["-E", "-s", "-S", script, request.projectFolder, predictor.path]
                + (predictor.pythonPath.map { [$0] } ?? []),
            // All others: some Pythons find their libraries by one.
            environment: ProcessEnvironment(request.variables)
        )
        var lines: [String] = []
        guard try await scan.run(onLine: { lines.append($0) }) else { return ProjectImports() }
        let imports = ProjectImports(lines: lines)
        self.keep(imports, as: kept)
        return imports
    }

    private static func name(
        _ request: EnvironmentRequest,
        _ interpreter: PythonInterpreter,
        _ package: String
    ) -> String {
        let predictor = request.spec.predictor
        // A newer Python reads newer syntax, and a newer scanner may find more.
        let parts = [
            request.project.description, predictor.path, predictor.pythonPath ?? "",
            "\(interpreter.version.major).\(interpreter.version.minor)", package,
        ]
        let text = parts.map { "\($0.utf8.count) \($0)" }.joined(separator: "\n")
        return SHA256.hash(data: Array(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// A result that cannot be kept is found again.
    private func keep(_ imports: ProjectImports, as path: String) {
        try? FileManager.default.createDirectory(atPath: self.cache, withIntermediateDirectories: true)
        self.makeRoom()
        let text = imports.lines.map { "\($0)\n" }.joined()
        try? Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    private func makeRoom() {
        let manager = FileManager.default
        guard let names = try? manager.contentsOfDirectory(atPath: self.cache), names.count > Self.mostResults else {
            return
        }
        let dated = names.map { name in
            let path = "\(self.cache)/\(name)"
            let date = (try? manager.attributesOfItem(atPath: path))?[.modificationDate] as? Date
            return (path: path, date: date ?? .distantPast)
        }
        for file in dated.sorted(by: { $0.date < $1.date }).prefix(names.count / 2) {
            try? manager.removeItem(atPath: file.path)
        }
    }
}
