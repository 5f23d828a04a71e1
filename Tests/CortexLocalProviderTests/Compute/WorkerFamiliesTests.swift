import Testing

@testable import CortexLocalProvider

@Suite struct WorkerFamiliesTests {
    private static let a = WorkerFamilies.Worker(name: "iris-1-0-0", pid: 100, projectDirectory: "/v/iris/1/project")
    private static let b = WorkerFamilies.Worker(name: "iris-1-0-1", pid: 200, projectDirectory: "/v/iris/1/project")

    private let processes = FakeProcesses()

    init() {
        self.processes[1] = .init(parent: 0, session: 1)
        self.processes[50] = .init(session: 50)
        self.processes[100] = .init(parent: 50, session: 100)
        self.processes[200] = .init(parent: 50, session: 200)
    }

    private func look(_ families: inout WorkerFamilies) -> [String: [Int32]] { families.look(for: [Self.a, Self.b]) }

    @Test func `a worker has itself, its session, and what has left it`() {
        // A shell's pipeline, a child with a session of its own, a grandchild of that.
        self.processes[101] = .init(parent: 1, session: 100)
        self.processes[102] = .init(parent: 100, session: 102)
        self.processes[103] = .init(parent: 102, session: 102)
        self.processes[201] = .init(parent: 200, session: 200)
        var families = WorkerFamilies(sight: self.processes.sight)
        #expect(self.look(&families) == ["iris-1-0-0": [100, 101, 102, 103], "iris-1-0-1": [200, 201]])
    }

    @Test func `a daemon is known by what it was started with`() {
        let own = "PATH=/bin\0CORTEX_WORKER=iris-1-0-1\0CORTEX_PROJECT_DIR=/v/iris/1/project\0HOME=/\0"
        self.processes[300] = .init(session: 300, environment: own)
        // Of a worker of the same name of another server, and of nobody.
        let other = "CORTEX_WORKER=iris-1-0-1\0CORTEX_PROJECT_DIR=/other/iris/1/project\0"
        self.processes[301] = .init(session: 301, environment: other)
        self.processes[302] = .init(session: 302, environment: "CORTEX_WORKER=iris-1-0-1\0")
        self.processes[303] = .init(session: 303, environment: "CORTEX_PROJECT_DIR=/v/iris/1/project\0")
        var families = WorkerFamilies(sight: self.processes.sight)
        #expect(self.look(&families)["iris-1-0-1"] == [200, 300])
    }

    @Test func `who has been seen with a worker stays with it, wherever it goes`() {
        self.processes[101] = .init(parent: 100, session: 100)
        var families = WorkerFamilies(sight: self.processes.sight)
        _ = self.look(&families)
        self.processes[101] = .init(parent: 1, session: 101)
        #expect(self.look(&families)["iris-1-0-0"] == [100, 101])
        self.processes[101] = nil
        #expect(self.look(&families)["iris-1-0-0"] == [100])
    }

    @Test func `a process is looked at once`() {
        var families = WorkerFamilies(sight: self.processes.sight)
        _ = self.look(&families)
        #expect(self.processes.takeAsked() == [1, 50])
        self.processes[51] = .init(session: 50)
        _ = self.look(&families)
        #expect(self.processes.takeAsked() == [51])
        // Another worker: what was nobody's may be its.
        _ = families.look(for: [Self.a])
        #expect(self.processes.takeAsked() == [1, 50, 51])
    }

    @Test func `what was seen before its worker was known is found again`() {
        self.processes[201] = .init(parent: 200, session: 200)
        var families = WorkerFamilies(sight: self.processes.sight)
        #expect(families.look(for: [Self.a]) == ["iris-1-0-0": [100]])
        #expect(self.look(&families)["iris-1-0-1"] == [200, 201])
    }
}
