#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where a build of torch and its family for CPUs is to be had: the one in the package index brings gigabytes of CUDA.
///
/// Looked for in this order: in the user's own folders of wheels; in the index, where that is one of builds for CPUs; in the
/// index that torch's makers keep for them.
struct TorchSource {
    let tool: UVTool
    /// The interpreter that it must have a build for.
    let python: String
    let projectFolder: String
    /// As uv is to be run.
    let variables: ProcessEnvironment
    /// Of torch's family, such as `torch` and `torchvision`.
    let packages: [String]
    /// What the project's files say of places, such as `--find-links=wheels`.
    let places: [String]
    /// Where the question to uv can be written down.
    let scratch: String

    /// What uv is to be told so that it takes builds for CPUs.
    struct Choice: Hashable, Sendable {
        var options: [String] = []
        /// Requirements that name a build exactly.
        var pins: [String] = []
    }

    /// - Throws: ``TorchFailure`` where there is none.
    func find() async throws -> Choice {
        // The user has chosen already.
        guard self.variables["UV_TORCH_BACKEND"] == nil else { return Choice() }
        let question = "\(self.scratch)/torch.in"
        try Data(self.packages.map { "\($0)\n" }.joined().utf8).write(to: URL(fileURLWithPath: question))
        let folders = self.places.filter { $0.hasPrefix("--find-links") }
        let wheels = try await self.resolve(question, ["--no-index", "--no-deps"] + folders)
        if case .found(let pins) = wheels {
            return Choice(pins: try await self.exactly(pins, question, folders))
        }
        let usual = try await self.resolve(question, self.places)
        if case .found(let all) = usual, !all.contains(where: Self.isForCUDA) { return Choice() }
        let makers = ["--torch-backend", "cpu"]
        switch try await self.resolve(question, makers + ["--no-deps"] + self.places) {
        case .found: return Choice(options: makers)
        case .failed(let lines): throw TorchFailure(packages: self.packages, lines: lines)
        }
    }

    private enum Answer {
        /// Names with releases, such as `torch==2.13.0+cpu`.
        case found([String])
        case failed([String])
    }

    /// The same releases, as the files that they are: the index may have a release of the same number, for CUDA.
    private func exactly(_ pins: [String], _ question: String, _ folders: [String]) async throws -> [String] {
        // One such as `2.13.0+cpu` is of the folder alone.
        guard pins.contains(where: { !$0.contains("+") }) else { return pins }
        let lock = ["--no-index", "--no-deps", "--format", "pylock.toml"] + folders
        let (succeeded, lines) = try await self.ask(question, lock)
        guard succeeded else { return pins }
        var wheels: [String: [String]] = [:]
        var name = ""
        for line in lines {
            if let match = line.wholeMatch(of: /name = "(.+)"/) { name = String(match.1) }
            for match in line.matches(of: /url = "([^"]+\.whl)"/) { wheels[name, default: []].append(String(match.1)) }
        }
        return pins.map { pin in
            let name = String(pin.prefix { $0 != "=" })
            guard let files = wheels[name], let file = files.first, files.count == 1 else { return pin }
            return "\(name) @ \(file)"
        }
    }

    private func resolve(_ question: String, _ options: [String]) async throws -> Answer {
        let (succeeded, lines) = try await self.ask(question, options)
        guard succeeded else { return .failed(lines) }
        return .found(lines.filter { $0.contains("==") }.map { line in String(line.prefix { $0 != " " }) })
    }

    private func ask(_ question: String, _ options: [String]) async throws -> (succeeded: Bool, lines: [String]) {
        var variables = self.variables
        // One that cannot be reached now is not waited for.
        if variables["UV_HTTP_RETRIES"] == nil { variables["UV_HTTP_RETRIES"] = "0" }
        let command = ToolCommand(
            executable: self.tool.path,
            arguments: [
                "--directory", self.projectFolder, "pip", "compile", "--quiet", "--no-header", "--no-annotate",
                "--python", self.python,
            ]
                + options + [question],
            environment: variables
        )
        var lines: [String] = []
        let succeeded = try await command.run { lines.append($0) }
        return (succeeded, lines)
    }

    private static func isForCUDA(_ pin: String) -> Bool {
        pin.hasPrefix("nvidia-") || pin.hasPrefix("cuda-") || pin.hasPrefix("triton==")
    }
}

/// No build of torch for CPUs can be had.
struct TorchFailure: Error, Hashable, Sendable {
    var packages: [String]
    /// What uv said at last.
    var lines: [String]

    /// Why not, and what to do, in a sentence.
    var reason: String {
        let names = self.packages.joined(separator: " and ")
        let cause =
            self.lines.contains { $0.contains("download.pytorch.org") && $0.contains("etch") }
            ? "https://download.pytorch.org/whl/cpu cannot be read from this machine"
            : self.lines.last { !$0.isEmpty } ?? "uv says nothing of it"
        return """
            no build of \(names) for CPUs is in reach (\(cause)). Name a place that has one: a folder of wheels in \
            UV_FIND_LINKS, or an index in UV_INDEX, in the server's environment or in `.env`. Or add \
            \(self.packages.map { "`\($0)`" }.joined(separator: " and ")) to requirements.txt to take what the package index \
            has, which brings CUDA along: about 5 GB on disk
            """
    }
}
