import CortexControlPlane
import Foundation
import Testing

@Suite struct ProjectPackerTests {
    private func packer(
        _ folder: TemporaryFolder,
        home: String? = nil,
        limits: ProjectLimits = .standard,
        isIgnored: @escaping @Sendable (String, Bool) -> Bool = { _, _ in false }
    ) -> ProjectPacker {
        ProjectPacker(
            root: folder.path,
            configFile: "cortex.yaml",
            home: home,
            limits: limits,
            isIgnored: isIgnored
        )
    }

    @Test(arguments: [
        (path: "predictor.py", isPacked: true),
        (path: "models/a/weights.bin", isPacked: true),
        (path: "other.yaml", isPacked: true),
        (path: "models/cortex.yaml", isPacked: true),  // only the config file itself is left out
        (path: "naïve file\n.txt", isPacked: true),
        (path: ".env", isPacked: true),
        (path: "cortex.yaml", isPacked: false),
        (path: "sub/.env", isPacked: false),
        (path: ".env.local", isPacked: false),
        (path: ".hidden", isPacked: false),
        (path: ".git/config", isPacked: false),
        (path: ".cortexignore", isPacked: false),
        (path: "a.pyc", isPacked: false),
        (path: "sub/a.pyo", isPacked: false),
        (path: "a.pyd", isPacked: false),
        (path: "sub/__pycache__/a.txt", isPacked: false),
        (path: "cortex-debug-1.zip", isPacked: false),
        (path: "cortex-debug-2/a.txt", isPacked: false),
        (path: "pyc", isPacked: true),
        (path: "cortex-debugger.py", isPacked: true),
    ])
    func `packs what the rules say`(path: String, isPacked: Bool) throws {
        let folder = try TemporaryFolder()
        try folder.write(path)
        #expect(try self.packer(folder).files().map(\.path) == (isPacked ? [path] : []))
    }

    @Test func `lists files in one order with size and executable bit`() throws {
        let folder = try TemporaryFolder()
        try folder.write("b.sh", "echo", executable: true)
        try folder.write("a/z", "12")
        try folder.write("a.txt", "1")
        let files = try self.packer(folder).files()
        #expect(files.map(\.path) == ["a.txt", "a/z", "b.sh"])
        #expect(files.map(\.size) == [1, 2, 4])
        #expect(files.map(\.isExecutable) == [false, false, true])
    }

    @Test func `an ignored folder takes its content with it, but never the root's .env`() throws {
        let folder = try TemporaryFolder()
        try folder.write(".env", "A=1")
        try folder.write("data/big.bin")
        try folder.write("predictor.py")
        let packer = self.packer(folder) { path, isFolder in path == "data" && isFolder || path == ".env" }
        #expect(try packer.files().map(\.path) == [".env", "predictor.py"])
    }

    @Test func `the version of Python that a project asks for is a part of it`() throws {
        let folder = try TemporaryFolder()
        try folder.write(".python-version", "3.11")
        try folder.write("sub/.python-version", "3.9")
        try folder.write("predictor.py")
        let packer = self.packer(folder) { path, _ in path == ".python-version" }
        #expect(try packer.files().map(\.path) == [".python-version", "predictor.py"])
    }

    @Test func `a hidden project folder packs as any other`() throws {
        let folder = try TemporaryFolder()
        try folder.write(".project/predictor.py")
        let packer = ProjectPacker(root: "\(folder.path)/.project", configFile: "cortex.yaml", home: nil)
        #expect(try packer.files().map(\.path) == ["predictor.py"])
    }

    @Test func `a folder named .env is not packed`() throws {
        let folder = try TemporaryFolder()
        try folder.write(".env/bin/python")
        #expect(try self.packer(folder).files().isEmpty)
    }

    @Test func `a link to a file of the project is followed`() throws {
        let folder = try TemporaryFolder()
        try folder.write(".data/cache", "bytes")
        try folder.link("model.bin", to: ".data/cache")
        let files = try self.packer(folder).files()
        #expect(files.map(\.path) == ["model.bin"])
        #expect(files.map(\.location) == ["\(folder.path)/.data/cache"])
    }

    @Test func `links that cannot be followed are errors that name them`() throws {
        let outside = try TemporaryFolder()
        try outside.write("secret")
        let folder = try TemporaryFolder()
        try folder.write("sub/a")

        try folder.link("link", to: "\(outside.path)/secret")
        #expect(throws: ProjectError.linkLeavesProject(path: "link", target: "\(outside.path)/secret")) {
            try self.packer(folder).files()
        }
        try FileManager.default.removeItem(atPath: "\(folder.path)/link")
        try folder.link("link", to: "nowhere")
        #expect(throws: ProjectError.brokenLink(path: "link")) { try self.packer(folder).files() }
        try FileManager.default.removeItem(atPath: "\(folder.path)/link")
        try folder.link("link", to: "link")
        #expect(throws: ProjectError.brokenLink(path: "link")) { try self.packer(folder).files() }
        try FileManager.default.removeItem(atPath: "\(folder.path)/link")
        try folder.link("link", to: "sub")
        #expect(throws: ProjectError.linkedFolder(path: "link", target: "\(folder.path)/sub")) {
            try self.packer(folder).files()
        }
        let ignoring = self.packer(folder) { path, _ in path == "link" }
        #expect(try ignoring.files().map(\.path) == ["sub/a"])
    }

    @Test func `a pipe is an error that names it`() throws {
        let folder = try TemporaryFolder()
        try #require(mkfifo("\(folder.path)/pipe", 0o600) == 0)
        #expect(throws: ProjectError.notAFile(path: "pipe")) { try self.packer(folder).files() }
    }

    @Test func `the home folder and the root are refused`() throws {
        let folder = try TemporaryFolder()
        let other = try TemporaryFolder()
        try other.link("home", to: folder.path)
        #expect(throws: ProjectError.refusedFolder(folder.path)) {
            try self.packer(folder, home: "\(other.path)/home").files()
        }
        #expect(throws: ProjectError.refusedFolder("/")) {
            try ProjectPacker(root: "/", configFile: "cortex.yaml", home: nil).files()
        }
    }

    @Test func `limits are errors that name the file`() throws {
        let folder = try TemporaryFolder()
        try folder.write("a", "12345")
        try folder.write("b", "1234")
        let small = ProjectLimits(fileBytes: 4, totalBytes: 100, files: 10)
        #expect(throws: ProjectError.fileTooLarge(path: "a", size: 5, limit: 4)) {
            try self.packer(folder, limits: small).files()
        }
        let few = ProjectLimits(fileBytes: 5, totalBytes: 8, files: 10)
        #expect(throws: ProjectError.projectTooLarge(path: "b", limit: 8)) {
            try self.packer(folder, limits: few).files()
        }
        let one = ProjectLimits(fileBytes: 5, totalBytes: 9, files: 1)
        #expect(throws: ProjectError.tooManyFiles(limit: 1)) { try self.packer(folder, limits: one).files() }
        let exact = ProjectLimits(fileBytes: 5, totalBytes: 9, files: 2)
        #expect(try self.packer(folder, limits: exact).files().count == 2)
    }

    @Test func `names that are not UTF-8, or alike to some systems, are refused`() throws {
        let folder = try TemporaryFolder()
        try folder.write("caf\u{E9}")
        try folder.write("cafe\u{301}")
        // A Mac's file system holds the two to be one file from the start.
        if try folder.contents().count == 2 {
            #expect(throws: ProjectError.self) { try self.packer(folder).files() }
        }
        let other = try TemporaryFolder()
        let path = Array("\(other.path)/".utf8CString.dropLast()) + [CChar(bitPattern: 0xFF), 0]
        let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
        if descriptor >= 0 {
            close(descriptor)
            #expect(throws: ProjectError.unreadableName(path: "\u{FFFD}")) { try self.packer(other).files() }
        }
    }

    @Test func `ten thousand files are all listed`() throws {
        let folder = try TemporaryFolder()
        let paths = (0..<10_000).map { "d\($0 % 100)/f\($0)" }
        for path in paths { try folder.write(path) }
        let listed = try self.packer(folder).files().map(\.path)
        #expect(listed == paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }
}
