import Foundation
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(2))) struct KnownInterpretersTests {
    private let folder: TemporaryFolder

    init() throws { self.folder = try TemporaryFolder() }

    /// A stand-in that answers as a CPython of that version, and writes down that it was asked.
    private func writePython(_ path: String, _ version: String) throws {
        let text = """
            #!/bin/sh
            echo \(version) >> '\(self.folder.path)/asked'
            echo cortex interpreter
            echo '\(self.folder.path)/\(path)'
            echo cpython
            echo \(version)
            echo test-platform

            """
        try self.folder.write(path, text, executable: true)
    }

    private var asked: [String] {
        ((try? self.folder.text("asked")) ?? "").split(separator: "\n").map(String.init)
    }

    private func known(_ variables: [String: String] = [:]) -> KnownInterpreters {
        var all = ["HOME": self.folder.path, "PATH": "\(self.folder.path)/bin:/bin"]
        all.merge(variables) { $1 }
        return KnownInterpreters(
            file: "\(self.folder.path)/interpreters.json",
            variables: ProcessEnvironment(all)
        )
    }

    private func wish(_ text: String) throws -> PythonWish { try #require(try PythonWish.parse(text)) }

    @Test func `finds what is asked for wherever it is`() async throws {
        try self.writePython("bin/python3", "3.95.1")
        try self.writePython("bin/python3.96", "3.96.2")
        try self.writePython(".pyenv/versions/3.97.3/bin/python3", "3.97.3")
        try self.writePython(".pyenv/versions/3.97.10/bin/python3", "3.97.10")
        try self.writePython(".local/share/uv/python/cpython-3.98.4-linux-x86_64-gnu/bin/python3", "3.98.4")
        try self.writePython("named/python", "3.97.5")
        let known = self.known()
        for (text, version) in [
            ("3.96", "3.96.2"), ("3.97", "3.97.10"), ("3.97.3", "3.97.3"), ("cpython-3.98", "3.98.4"),
            (">=3.95,<3.97", "3.95.1"), ("3.99\n3.95", "3.95.1"),
        ] {
            #expect(try await known.interpreter(for: self.wish(text)).version == ToolVersion(version))
        }
        #expect(try await known.interpreter(for: nil).version == ToolVersion("3.95.1"))
        let named = self.known(["CORTEX_PYTHON": "\(self.folder.path)/named/python"])
        #expect(try await named.interpreter(for: self.wish("3.97")).version == ToolVersion("3.97.5"))
        #expect(try await named.interpreter(for: self.wish("3.96")).version == ToolVersion("3.96.2"))
    }

    @Test func `what is not there is told with what is`() async throws {
        try self.writePython("bin/python3", "3.95.1")
        try self.writePython(".pyenv/versions/3.97.3/bin/python3", "3.97.3")
        let error = await #expect(throws: EnvironmentError.self) {
            try await self.known().interpreter(for: self.wish("# ours\n3.94\n"))
        }
        guard case .noSuchPython(let place, let text, let found) = try #require(error) else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(place == ".python-version:2")
        #expect(text == "3.94")
        let versions = found.map(\.version).filter { $0.minor > 90 }
        #expect(versions == [ToolVersion("3.97.3"), ToolVersion("3.95.1")])
        #expect("\(try #require(error))".contains("3.97.3 (\(self.folder.path)/.pyenv/versions/3.97.3/bin/python3)"))
    }

    @Test func `where python3 is too old another one is taken`() async throws {
        try self.writePython("bin/python3", "3.6.15")
        try self.writePython(".pyenv/versions/3.97.3/bin/python3", "3.97.3")
        #expect(try await self.known().interpreter(for: nil).version == ToolVersion("3.97.3"))
        // One that was named is meant.
        let named = self.known(["CORTEX_PYTHON": "\(self.folder.path)/bin/python3"])
        await #expect(throws: EnvironmentError.self) { try await named.interpreter(for: nil) }
    }

    @Test func `a program is asked once, by all servers together`() async throws {
        let python = try await PythonInterpreter.find(in: .current)
        try FileManager.default.createDirectory(atPath: "\(self.folder.path)/bin", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: "\(self.folder.path)/bin/python3",
            withDestinationPath: python.path
        )
        let first = try await self.known().interpreter(for: nil)
        #expect(first.version == python.version)
        // The answer is on disk: it is believed as long as the file is as it was.
        let file = "\(self.folder.path)/interpreters.json"
        let answers = try String(contentsOfFile: file, encoding: .utf8)
        let changed = answers.replacing("\"platform\":\"", with: "\"platform\":\"kept-")
        try changed.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try await self.known().interpreter(for: nil).platform == "kept-\(python.platform)")
    }

    @Test func `a script is asked anew by each server, and when it changes`() async throws {
        try self.writePython("bin/python3", "3.95.1")
        let known = self.known()
        _ = try await known.interpreter(for: nil)
        _ = try await known.interpreter(for: nil)
        #expect(self.asked == ["3.95.1"])
        _ = try await self.known().interpreter(for: nil)
        #expect(self.asked == ["3.95.1", "3.95.1"])
        try self.writePython("bin/python3", "3.96.12")
        #expect(try await known.interpreter(for: nil).version == ToolVersion("3.96.12"))
    }

    @Test func `the folder that the server is in decides nothing`() async throws {
        let script = """
            #!/bin/sh
            printf '%s\\n' 'cortex interpreter' /opt/python cpython 3.95.1 "$(pwd) $PYENV_DIR"

            """
        try self.folder.write("bin/python3", script, executable: true)
        let known = self.known(["PYENV_DIR": self.folder.path])
        #expect(try await known.interpreter(for: nil).platform == "/ ")
    }

    @Test(arguments: [
        (name: "/no/python", reason: "which is no executable"),
        (name: "nopython", reason: "which is no executable"),
        (name: "python3", reason: "which cannot be used: it is Python 3.6.15"),
    ])
    func `a CORTEX_PYTHON that cannot be used is told with those that can`(name: String, reason: String) async throws {
        try self.writePython("bin/python3", "3.6.15")
        try self.writePython("bin/python3.95", "3.95.1")
        let error = await #expect(throws: EnvironmentError.self) {
            try await self.known(["CORTEX_PYTHON": name]).checkNamed()
        }
        let text = "\(try #require(error))"
        #expect(text.hasPrefix("CORTEX_PYTHON is \(name), \(reason); name a CPython 3.9 or newer; there are "))
        #expect(text.contains("3.95.1 (\(self.folder.path)/bin/python3.95)"))
        #expect(try #require(error).isOfVariable)
    }

    @Test func `a CORTEX_PYTHON that can be used is taken`() async throws {
        try self.writePython("bin/other", "3.95.1")
        for name in ["other", "\(self.folder.path)/bin/other"] {
            try await self.known(["CORTEX_PYTHON": name]).checkNamed()
        }
        try await self.known().checkNamed()
    }

    @Test func `an environment is made of each CPython that is here`() async throws {
        var seen: Set<String> = []
        let fixture = try BuilderFixture()
        for minor in 9...14 {
            try fixture.project.write(".python-version", "3.\(minor)\n")
            do {
                let environment = try await fixture.builder().environment(for: fixture.request()) { _ in }
                let program = "import sys, starlette, python_multipart; print('%d.%d' % sys.version_info[:2])"
                #expect(try await fixture.run(environment, program) == ["3.\(minor)"])
                seen.insert("3.\(minor)")
            } catch EnvironmentError.noSuchPython {
                continue
            }
        }
        #expect(!seen.isEmpty)
    }
}
