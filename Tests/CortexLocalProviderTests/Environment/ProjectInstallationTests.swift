import Foundation
import Testing

@testable import CortexLocalProvider

/// What is installed from the project itself, and by other tools than uv.
@Suite(.timeLimit(.minutes(3))) struct ProjectInstallationTests {
    private let fixture: BuilderFixture
    private var project: TemporaryFolder { self.fixture.project }

    init() throws { self.fixture = try BuilderFixture() }

    private func writePackage() throws {
        try self.project.write(
            "lib/pyproject.toml",
            "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n"
                + "[project]\nname = \"ours\"\nversion = \"1\"\n[tool.setuptools]\npy-modules = [\"ours\"]\n"
        )
        try self.project.write("lib/ours.py", "value = 41\n")
    }

    @Test(arguments: ["-e ./lib\n", "./lib\n", "ours @ file:./lib\n"])
    func `a package of the project works without the project`(line: String) async throws {
        try self.writePackage()
        try self.project.write("requirements.txt", line)
        let environment = try await self.fixture.builder().environment(for: self.fixture.request()) { _ in }
        try FileManager.default.removeItem(atPath: "\(self.project.path)/lib")
        #expect(try await self.fixture.run(environment, "import ours; print(ours.value)") == ["41"])
    }

    @Test func `the dependencies of a pyproject file are installed, its package is not`() async throws {
        try self.project.write(
            "pyproject.toml",
            "[project]\nname = \"ours\"\nversion = \"1\"\ndependencies = [\"six\"]\n"
        )
        let environment = try await self.fixture.builder().environment(for: self.fixture.request()) { _ in }
        let names = "from importlib.metadata import distributions as d; print(*sorted(x.name for x in d()))"
        let found = try await self.fixture.run(environment, names).joined().split(separator: " ")
        #expect(found.contains("six") && !found.contains("ours"))
    }

    @Test func `hashes are asked for of the user's packages, not of the worker's`() async throws {
        let hash = "sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254"
        try self.project.write("requirements.txt", "--require-hashes\nsix==1.16.0 --hash=\(hash)\n")
        let environment = try await self.fixture.builder().environment(for: self.fixture.request()) { _ in }
        let program = "import six, starlette; print(six.__version__)"
        #expect(try await self.fixture.run(environment, program) == ["1.16.0"])
    }

    /// Makes environments as conda does: as a prefix that names its own path.
    private func writeConda(_ name: String) throws {
        let python = try #require(ProcessEnvironment.current.executable("python3"))
        try self.fixture.home.write(
            "bin/\(name)",
            """
            #!/bin/sh
            echo "$0 $*" >> '\(self.fixture.home.path)/calls'
            command=$1
            while [ $# -gt 0 ]; do
                case "$1" in
                --prefix) prefix=$2; shift ;;
                --file) file=$2; shift ;;
                esac
                shift
            done
            if grep -q nosuch "$file"; then echo "  - nothing provides requested nosuch 1.0"; echo "nosuch 1.0 does not exist"; exit 1; fi
            if [ $command = create ]; then '\(python)' -m venv --without-pip "$prefix"; fi
            if [ -n "$file" ]; then cp "$file" "$prefix/installed.txt"; fi
            """,
            executable: true
        )
    }

    private var condaPath: [String: String] {
        ["PATH": "\(self.fixture.home.path)/bin:\(ProcessEnvironment.current["PATH"] ?? "")"]
    }

    @Test func `conda makes the environment, and what pip installs goes into it`() async throws {
        try self.writeConda("micromamba")
        try self.project.write("conda-packages.txt", "conda-forge::rdkit=2024.3\n")
        try self.project.write("requirements.txt", "six\n")
        let builder = try self.fixture.builder(self.condaPath)
        let environment = try await builder.environment(for: self.fixture.request(self.condaPath)) { _ in }
        #expect(
            try await self.fixture.run(environment, "import six, starlette, sys; print(sys.prefix)") == [
                environment.folder
            ]
        )
        #expect(FileManager.default.fileExists(atPath: "\(environment.folder)/installed.txt"))
        let calls = try self.fixture.home.text("calls").split(separator: "\n")
        #expect(calls.count == 1)
        #expect(calls[0].contains("create --yes --prefix \(environment.folder) --channel conda-forge --file "))
        #expect(calls[0].contains(" python=3."))
    }

    @Test func `a script runs before conda installs`() async throws {
        try self.writeConda("conda")
        try self.project.write("conda-packages.txt", "python=3.11\n")
        try self.project.write("dependencies.sh", "pip --version; echo rdkit >> conda-packages.txt\n")
        let builder = try self.fixture.builder(self.condaPath)
        let environment = try await builder.environment(for: self.fixture.request(self.condaPath)) { _ in }
        let calls = try self.fixture.home.text("calls").split(separator: "\n")
        #expect(calls.count == 2)
        #expect(calls[0].hasSuffix("create --yes --prefix \(environment.folder) python=3.11 pip"))
        #expect(calls[1].contains("install --yes --prefix \(environment.folder) --file "))
        let installed = try String(contentsOfFile: "\(environment.folder)/installed.txt", encoding: .utf8)
        #expect(installed == "python=3.11\nrdkit\n")
    }

    @Test func `a package that conda does not know is told with its line`() async throws {
        try self.writeConda("micromamba")
        try self.project.write("conda-packages.txt", "# ours\nnosuch=1.0\n")
        let failure = try await self.fixture.failure(self.condaPath)
        #expect(failure.place == "conda-packages.txt:2")
        #expect(failure.subject == "nosuch=1.0")
        #expect(try self.fixture.environments() == [])
    }

    @Test func `without a conda the message says what to do`() async throws {
        try self.project.write("conda-packages.txt", "rdkit\n")
        let uv = try #require(ProcessEnvironment.current.executable("uv"))
        let python = try await PythonInterpreter.find(in: .current)
        let changes = ["PATH": "/usr/bin:/bin", "CORTEX_UV": uv, "CORTEX_PYTHON": python.path]
        await #expect(throws: EnvironmentError.noConda) {
            try await self.fixture.builder(changes).environment(for: self.fixture.request(changes)) { _ in }
        }
    }
}
