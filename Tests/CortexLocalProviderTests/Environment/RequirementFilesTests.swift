import CortexControlPlane
import Testing

@testable import CortexLocalProvider

@Suite struct RequirementFilesTests {
    @Test(arguments: [
        (line: "numpy==2.0", leads: false),
        (line: "# -e .", leads: false),
        (line: "numpy # ./local", leads: false),
        (line: "tool @ git+https://host/a/b.git#egg=tool", leads: false),
        (line: "git+https://host/a/b.git", leads: false),
        (line: "-e git+https://host/a/b.git", leads: false),
        (line: "https://host/a-1-py3-none-any.whl", leads: false),
        (line: "--extra-index-url https://host/simple", leads: false),
        (line: "-e .", leads: true),
        (line: "--editable=./lib", leads: true),
        (line: ".", leads: true),
        (line: "./lib[extra]", leads: true),
        (line: "../lib", leads: true),
        (line: "libs/thing", leads: true),
        (line: "/opt/thing", leads: true),
        (line: "thing-1-py3-none-any.whl", leads: true),
        (line: "thing @ file:///opt/thing", leads: true),
        (line: "--find-links wheels", leads: true),
        (line: "numpy \\\n  ; python_version > '3'", leads: false),
    ])
    func `sees which requirements lead into the project`(line: String, leads: Bool) throws {
        let folder = try TemporaryFolder()
        try folder.write("requirements.txt", "starlette\n\(line)\n")
        let files = RequirementFiles(projectFolder: folder.path)
        #expect(files.leadIntoProject == leads)
        #expect(files.files.map(\.path) == ["requirements.txt"])
    }

    @Test func `reads the files that are included, once, in circles too`() throws {
        let folder = try TemporaryFolder()
        try folder.write("requirements.txt", "-r more/base.txt\n-cpins.txt\n--requirement=missing.txt\n")
        try folder.write("more/base.txt", "-r ../requirements.txt\n-r ../more/../more/extra.txt\n")
        try folder.write("more/extra.txt", "six\n")
        try folder.write("pins.txt", "six==1.16\n")
        let paths = RequirementFiles(projectFolder: folder.path).files.map(\.path)
        #expect(paths.sorted() == ["more/base.txt", "more/extra.txt", "pins.txt", "requirements.txt"])
    }

    @Test func `the key follows what decides the content, and nothing else`() throws {
        let python = PythonInterpreter(
            path: "/usr/bin/python3",
            version: ToolVersion(major: 3, minor: 11, patch: 7),
            platform: "linux-x86_64"
        )
        var newer = python
        newer.version.patch = 8
        let one = try #require(ProjectHash(String(repeating: "1", count: 64)))
        let two = try #require(ProjectHash(String(repeating: "2", count: 64)))
        func key(
            _ python: PythonInterpreter,
            _ project: ProjectHash,
            _ files: [String: String]
        ) throws -> EnvironmentKey {
            let folder = try TemporaryFolder()
            for (path, text) in files { try folder.write(path, text) }
            let requirements = RequirementFiles(projectFolder: folder.path)
            return EnvironmentKey(interpreter: python, requirements: requirements, project: project)
        }
        let base = try key(python, one, ["requirements.txt": "-r a.txt", "a.txt": "six"])
        #expect(base.description.count == 64)
        #expect(try key(python, two, ["requirements.txt": "-r a.txt", "a.txt": "six", "predictor.py": "x"]) == base)
        #expect(try key(newer, one, ["requirements.txt": "-r a.txt", "a.txt": "six"]) != base)
        #expect(try key(python, one, ["requirements.txt": "-r a.txt", "a.txt": "six>1"]) != base)
        #expect(try key(python, one, [:]) != base)
        let local = ["requirements.txt": "-e ."]
        #expect(try key(python, one, local) != key(python, two, local))
    }
}
