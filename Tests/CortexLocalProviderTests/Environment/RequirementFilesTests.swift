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

    @Test func `knows each line by its number, and finds it by a name in any spelling`() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "requirements.txt",
            "# tools\r\nsix\r\n\r\nPython_Dateutil[x]>=2 \\\r\n  --hash=sha256:0\r\n-r more.txt\r\n"
        )
        try folder.write("more.txt", "\ntyping.extensions ; python_version < '3.10' # old\n")
        let files = RequirementFiles(projectFolder: folder.path)
        #expect(files.names == ["six", "python-dateutil", "typing-extensions"])
        #expect(files.count == 3)
        #expect(files.entry(asking: "python.dateutil")?.place == "requirements.txt:4")
        let entry = try #require(files.entry(asking: "typing-extensions"))
        #expect(entry.place == "more.txt:2")
        #expect(entry.line.text == "typing.extensions ; python_version < '3.10'")
    }

    @Test func `knows which variables its lines use, and what they ask of the installation`() throws {
        let folder = try TemporaryFolder()
        try folder.write("requirements.txt", "--require-hashes\n-e .\na @ https://${USER}:${TOKEN}@host/a.whl\n")
        let files = RequirementFiles(projectFolder: folder.path)
        #expect(files.variables == ["USER", "TOKEN"])
        #expect(files.requireHashes && files.hasEditables && files.leadIntoProject)
    }

    @Test func `without requirements the project's own package says what it needs`() throws {
        let folder = try TemporaryFolder()
        #expect(RequirementFiles(projectFolder: folder.path).root == nil)
        try folder.write("setup.py", "setup()")
        #expect(RequirementFiles(projectFolder: folder.path).root == "setup.py")
        #expect(RequirementFiles(projectFolder: folder.path).leadIntoProject)
        try folder.write(
            "pyproject.toml",
            """
            [tool.ruff]
            dependencies = ["no"]
            [project] # here
            name = "x"
            requires-python = ">=3.10"
            dependencies = [
                "six", # "no"
                'numpy[x]>=2',
            ]
            [project.optional-dependencies]
            dev = ["pytest"]
            """
        )
        let files = RequirementFiles(projectFolder: folder.path)
        #expect(files.root == "pyproject.toml")
        #expect(files.names == ["six", "numpy"])
        #expect(files.entry(asking: "numpy")?.place == "pyproject.toml:8")
        #expect(files.pyProject?.requiresPython == RequirementLine(number: 5, text: ">=3.10"))
        #expect(!files.leadIntoProject)
        try folder.write("requirements.txt", "six\n")
        #expect(RequirementFiles(projectFolder: folder.path).root == "requirements.txt")
        #expect(RequirementFiles(projectFolder: folder.path).files.map(\.path) == ["requirements.txt"])
    }

    @Test(arguments: [
        (text: "[tool.ruff]\nline-length = 100\n", setup: false, root: nil),
        (text: "[project]\nname = \"x\"\n", setup: false, root: nil),
        (
            text: "[project]\nname = \"x\"\ndynamic = [\"version\", \"dependencies\"]\n", setup: false,
            root: "pyproject.toml"
        ),
        (text: "[build-system]\nrequires = [\"setuptools\"]\n", setup: false, root: nil),
        (text: "[build-system]\nrequires = [\"setuptools\"]\n", setup: true, root: "pyproject.toml"),
        (text: "[tool.poetry.dependencies]\nsix = \"*\"\n[build-system]\n", setup: false, root: "pyproject.toml"),
        (text: "[tool.black]\n", setup: true, root: "setup.py"),
    ])
    func `a pyproject file counts where it says what is needed`(text: String, setup: Bool, root: String?) throws {
        let folder = try TemporaryFolder()
        try folder.write("pyproject.toml", text)
        if setup { try folder.write("setup.py", "setup()") }
        #expect(RequirementFiles(projectFolder: folder.path).root == root)
    }
}
