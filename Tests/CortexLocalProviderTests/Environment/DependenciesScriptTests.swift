import Foundation
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(3))) struct DependenciesScriptTests {
    private let fixture: BuilderFixture
    private var project: TemporaryFolder { self.fixture.project }

    init() throws { self.fixture = try BuilderFixture() }

    @Test func `runs once, in a copy of the project, with the environment's own pip and the API's variables`()
        async throws
    {
        try self.project.write("data/in.txt", "in")
        try self.project.write(
            "dependencies.sh",
            """
            pip --version
            test "$(cat data/in.txt)" = in
            echo "$GREETING" > greeting.txt
            mkdir -p made && ln -s ../greeting.txt made/link
            echo "$VIRTUAL_ENV" > data/in.txt
            echo six > requirements.txt
            """
        )
        let log = ProgressLog()
        let builder = try self.fixture.builder()
        let request = try self.fixture.request(["GREETING": "hello"])
        let environment = try await builder.environment(for: request) { log.add($0.text) }
        #expect(log.lines.contains { $0.hasPrefix("pip ") && $0.contains(environment.folder) })
        // Bringing pip is a part of the script's step.
        #expect(log.lines.filter { $0.hasPrefix("installing ") }.count == 1)
        // What it wrote was installed.
        #expect(try await self.fixture.run(environment, "import six; print('ok')") == ["ok"])
        #expect(try self.project.text("data/in.txt") == "in")

        let version = try TemporaryFolder()
        try version.write("data/in.txt", "in")
        try environment.addMadeFiles(to: version.path)
        #expect(try version.text("greeting.txt") == "hello\n")
        #expect(try version.text("made/link") == "hello\n")
        #expect(try version.text("data/in.txt") == "\(environment.folder)\n")
        #expect(try version.text("requirements.txt") == "six\n")

        let again = ProgressLog()
        let found = try await builder.environment(for: request) { again.add($0.text) }
        #expect(found == environment)
        #expect(again.lines == [])
    }

    @Test(arguments: [
        (script: "set -u\necho one >&2\n\nls /nowhere\necho two\n", place: "dependencies.sh:4", subject: "ls /nowhere"),
        (script: "f() {\n  false\n}\nf\n", place: "dependencies.sh:2", subject: "false"),
        (script: "true\nbash sub.sh\n", place: "dependencies.sh:2", subject: "bash sub.sh"),
        (script: "true\nif then\n", place: "dependencies.sh:2", subject: nil),
        (script: "exit 3\n", place: "dependencies.sh", subject: nil),
    ])
    func `tells the line that failed`(script: String, place: String, subject: String?) async throws {
        try self.project.write("dependencies.sh", script)
        try self.project.write("sub.sh", "exit 7\n")
        let failure = try await self.fixture.failure()
        #expect(failure.place == place)
        #expect(failure.subject == subject)
        #expect(failure.reason.hasPrefix("ended with status "))
        #expect(!failure.output.contains("two"))
        #expect(!failure.output.contains { $0.contains("cortex:") })
        #expect(try self.fixture.environments() == [])
    }

    @Test func `one that was written on Windows says so`() async throws {
        try self.project.write("dependencies.sh", "ls\r\nmkdir x\r\nnosuch\r\n")
        #expect(try await self.fixture.failure().reason.contains("CR LF"))
    }

    @Test func `one that waits is ended, with all that it started`() async throws {
        let alive = try Pipe(in: self.fixture.home)
        try self.project.write(
            "dependencies.sh",
            "sh -c 'trap \"\" TERM; exec 3>\"\(alive.path)\"; echo waiting; while :; do sleep 1; done' &\nread x < \(alive.path)"
        )
        let failure = try await self.fixture.failure(["CORTEX_DEPENDENCIES_TIMEOUT": "5s"])
        #expect(failure.place == "dependencies.sh")
        #expect(failure.reason.hasPrefix("it did not end within 5s (CORTEX_DEPENDENCIES_TIMEOUT)"))
        #expect(failure.output.last == "waiting")
        #expect(alive.isClosed())
        #expect(try self.fixture.environments() == [])
    }

    @Test func `what it leaves running is ended, and not waited for`() async throws {
        let alive = try Pipe(in: self.fixture.home)
        try self.project.write(
            "dependencies.sh",
            "(exec 3>'\(alive.path)'; echo up > up; exec sleep 1000) &\nwhile [ ! -e up ]; do sleep 0.01; done\n"
        )
        _ = try await self.fixture.builder().environment(for: self.fixture.request()) { _ in }
        #expect(alive.isClosed())
    }

    @Test func `it gets nothing from the terminal`() async throws {
        try self.project.write("dependencies.sh", "if read x; then exit 9; fi\n")
        _ = try await self.fixture.builder().environment(for: self.fixture.request()) { _ in }
    }

    @Test func `a limit that is none is told at the start`() throws {
        #expect(throws: EnvironmentError.self) { try self.fixture.builder(["CORTEX_DEPENDENCIES_TIMEOUT": "soon"]) }
    }
}

/// Hangs up when the last process that holds its other end is gone.
private final class Pipe {
    let path: String
    private let descriptor: Int32

    init(in folder: TemporaryFolder) throws {
        self.path = "\(folder.path)/alive"
        try #require(mkfifo(self.path, 0o600) == 0)
        self.descriptor = open(self.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        try #require(self.descriptor >= 0)
    }

    deinit { close(self.descriptor) }

    /// Whether it hangs up within ten seconds; a zombie holds nothing.
    func isClosed() -> Bool {
        var request = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 10_000) == 1 && request.revents & Int16(POLLHUP) != 0
    }
}
