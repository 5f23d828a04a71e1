import CortexControlPlane
import CortexSpec
import Testing

@testable import CortexLocalProvider

@Suite struct EnvironmentKeyTests {
    private let python = PythonInterpreter(
        path: "/usr/bin/python3",
        version: ToolVersion(major: 3, minor: 11, patch: 7),
        platform: "linux-x86_64"
    )

    private func key(
        _ files: [String: String],
        project: Character = "1",
        env: [String: String] = [:],
        plan: PackagePlan = PackagePlan(),
        change: (inout PythonInterpreter) -> Void = { _ in }
    ) throws -> String {
        let folder = try TemporaryFolder()
        for (path, text) in files { try folder.write(path, text) }
        var request = try EnvironmentRequest.sample(projectFolder: folder.path)
        request.project = try #require(ProjectHash(String(repeating: project, count: 64)))
        request.spec.predictor.env = env
        var python = self.python
        change(&python)
        let requirements = RequirementFiles(projectFolder: folder.path)
        return try BuildRequest(request, interpreter: python, requirements: requirements, plan: plan).key.description
    }

    @Test func `follows what decides the content, and nothing else`() throws {
        let files = ["requirements.txt": "-r a.txt", "a.txt": "six"]
        let base = try self.key(files)
        #expect(EnvironmentKey(base)?.description == base)
        #expect(try self.key(files.merging(["predictor.py": "x"]) { $1 }, project: "2", env: ["A": "b"]) == base)
        #expect(try self.key(files) { $0.version.patch = 8 } != base)
        #expect(try self.key(files, plan: PackagePlan(requirements: ["numpy"])) != base)
        #expect(try self.key(["requirements.txt": "-r a.txt", "a.txt": "six>1"]) != base)
        #expect(try self.key(files.merging(["conda-packages.txt": "rdkit"]) { $1 }) != base)
        #expect(try self.key([:]) != base)
    }

    @Test func `requirements that lead into the project follow all of it`() throws {
        #expect(try self.key(["requirements.txt": "-e ."]) != self.key(["requirements.txt": "-e ."], project: "2"))
    }

    @Test func `variables count where an installation may use them`() throws {
        let plain = ["requirements.txt": "six"]
        #expect(try self.key(plain, env: ["UV_DEFAULT_INDEX": "https://a"]) != self.key(plain))
        let named = ["requirements.txt": "a @ https://${TOKEN}@host/a.whl"]
        #expect(try self.key(named, env: ["TOKEN": "1"]) != self.key(named, env: ["TOKEN": "2"]))
        #expect(try self.key(named, env: ["OTHER": "1"]) == self.key(named))
        let script = ["dependencies.sh": "true"]
        #expect(try self.key(script, env: ["ANY": "1"]) != self.key(script))
        // `.env` is as good as the configuration.
        let dotEnv = ["dependencies.sh": "true", ".env": "ANY=1\n"]
        #expect(try self.key(dotEnv) == self.key(script, env: ["ANY": "1"]))
    }

    @Test func `a script is known by the files that it names, and those that these name`() throws {
        let files = [
            "dependencies.sh": "# notes.txt\nbash tools/install.sh\n", "tools/install.sh": "pip install -r more.txt\n",
            "more.txt": "six", "notes.txt": "x",
        ]
        let base = try self.key(files)
        #expect(try self.key(files.merging(["predictor.py": "x"]) { $1 }, project: "2") == base)
        #expect(try self.key(files.merging(["notes.txt": "y"]) { $1 }) == base)
        #expect(try self.key(files.merging(["tools/install.sh": "true"]) { $1 }) != base)
        #expect(try self.key(files.merging(["more.txt": "seven"]) { $1 }) != base)
    }

    @Test(arguments: ["pip install .", "pip install *.whl", "cp x $PWD", "find . -name x"])
    func `a script that speaks of the folder follows all of the project`(script: String) throws {
        let files = ["dependencies.sh": script]
        #expect(try self.key(files) != self.key(files, project: "2"))
    }

    @Test func `a name of another folder is no key`() {
        #expect(EnvironmentKey(String(repeating: "a", count: 63)) == nil)
        #expect(EnvironmentKey(String(repeating: "A", count: 64)) == nil)
        #expect(EnvironmentKey(".removing-1") == nil)
    }
}
