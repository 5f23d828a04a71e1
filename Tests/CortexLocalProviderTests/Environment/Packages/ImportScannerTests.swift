import Foundation
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(1))) struct ImportScannerTests {
    private let home: TemporaryFolder
    private let project: TemporaryFolder
    private let scanner: ImportScanner

    init() throws {
        self.home = try TemporaryFolder()
        self.project = try TemporaryFolder()
        self.scanner = ImportScanner(cache: "\(self.home.path)/imports", tools: "\(self.home.path)/tools")
    }

    private func imports(with interpreter: PythonInterpreter? = nil) async throws -> ProjectImports {
        var found = interpreter
        if found == nil { found = try await PythonInterpreter.find(in: .current) }
        return try await self.scanner.imports(
            of: try .sample(projectFolder: self.project.path),
            interpreter: try #require(found)
        )
    }

    @Test func `a project's imports are read and not run`() async throws {
        try self.project.write("predictor.py", "import numpy, helper\nraise SystemExit")
        try self.project.write(
            "helper.py",
            "try:\n  import torch\nexcept ImportError:\n  pass\n__import__('si' + 'x')\n"
        )
        let found = try await self.imports()
        #expect(found.needed == ["numpy"])
        #expect(found.optional == ["torch"])
    }

    @Test func `a second look starts no Python`() async throws {
        try self.project.write("predictor.py", "import numpy")
        let first = try await self.imports()
        var interpreter = try await PythonInterpreter.find(in: .current)
        interpreter.path = "/nowhere/python"
        #expect(try await self.imports(with: interpreter) == first)
    }

    @Test func `what cannot be read has no imports`() async throws {
        #expect(try await self.imports() == ProjectImports())
    }

    @Test func `lines that are not the scanner's are passed over`() {
        let imports = ProjectImports(needed: ["numpy", "sklearn.svm"], optional: ["torch"], mentioned: ["six"])
        #expect(ProjectImports(lines: ["Python 3 is here", "needed", ""] + imports.lines) == imports)
    }
}
