import Testing

@testable import CortexLocalProvider

@Suite struct PythonWishTests {
    private func version(_ text: String) throws -> ToolVersion { try #require(ToolVersion(text)) }

    @Test(arguments: [
        (text: "3.10\n", has: "3.10.13", fits: true),
        (text: "3.10", has: "3.11.0", fits: false),
        (text: "3.10.13", has: "3.10.13", fits: true),
        (text: "3.10.13", has: "3.10.14", fits: false),
        (text: "3", has: "3.13.0", fits: true),
        (text: "\n# ours\n  cpython-3.12  # as everywhere\n", has: "3.12.1", fits: true),
        (text: "cpython@3.12", has: "3.12.1", fits: true),
        (text: "cpython-3.12.1-linux-x86_64-gnu", has: "3.12.1", fits: true),
        (text: "python3.9", has: "3.9.18", fits: true),
        (text: "3.12\n3.11", has: "3.11.7", fits: true),
        (text: "3.1", has: "3.11.7", fits: false),
        (text: ">=3.9,<3.12", has: "3.11.7", fits: true),
        (text: ">=3.9,<3.12", has: "3.12.0", fits: false),
        (text: "~=3.10", has: "3.12.0", fits: true),
        (text: "~=3.10.2", has: "3.11.0", fits: false),
        (text: "==3.11.*", has: "3.11.7", fits: true),
        (text: "!=3.11.*", has: "3.11.7", fits: false),
        (text: ">3.11", has: "3.11.0", fits: false),
    ])
    func `reads what a project asks for`(text: String, has: String, fits: Bool) throws {
        let wish = try #require(try PythonWish.parse(text))
        let version = try self.version(has)
        #expect(wish.ranges.contains { $0.contains(version) } == fits)
    }

    @Test(arguments: ["", "\n\n", "# nothing\n", "system\n"])
    func `a file that names none leaves the choice`(text: String) throws {
        #expect(try PythonWish.parse(text) == nil)
    }

    @Test(arguments: ["pypy-3.9", "my-project", "3.13t", "3.x", "2to3", "3.1.2.3", "miniconda3-4.7"])
    func `what is no version of CPython is refused with its line`(text: String) {
        #expect(throws: EnvironmentError.badPythonVersion(place: ".python-version:2", text: text)) {
            try PythonWish.parse("# a comment\n\(text)\n")
        }
    }

    @Test func `a file of versions comes before the project's package`() throws {
        let folder = try TemporaryFolder()
        let project = PyProject(Array("[project]\nrequires-python = \">=3.10\"\n".utf8))
        let wish = try #require(try PythonWish.read(projectFolder: folder.path, pyProject: project))
        #expect(wish.place == "pyproject.toml:2")
        #expect(wish.text == "requires-python = \">=3.10\"")
        try folder.write(".python-version", "3.9\n")
        #expect(try PythonWish.read(projectFolder: folder.path, pyProject: project)?.place == ".python-version:1")
        #expect(try PythonWish.read(projectFolder: "\(folder.path)/none", pyProject: nil) == nil)
    }
}
