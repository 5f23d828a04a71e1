import Foundation
import Logging
import NIOPosix
import Synchronization
import Testing

@testable import CortexModels

/// The agent's life and its frames, with a process on the other end that does what a test says.
@Suite(.timeLimit(.minutes(2)))
struct StorageAgentTests {
    /// Runs an agent for the length of `body`.
    @discardableResult
    private func withAgent<R: Sendable>(
        _ script: String,
        _ body: (StorageAgent, FakeAgent) async throws -> R
    ) async throws -> R {
        try await FakeAgent.with(script) { fake in
            try await withRunning(fake.launch) { agent in try await body(agent, fake) }
        }
    }

    @Test
    func `a listing comes in pages and is put in order`() async throws {
        let script = """
            hello()
            kind, flags, id, body = read()
            note(json.dumps(json.loads(body), sort_keys=True))
            note(os.environ["AWS_ACCESS_KEY_ID"])
            send(0x48, id, b'[{"path":"b","size":2,"modified":5,"tag":"t"}]')
            send(0x48, id, b'[{"path":"a/x","size":1,"modified":4,"tag":null}]')
            send(0x4A, id)
            read()
            """
        try await self.withAgent(script) { agent, fake in
            let found = try await agent.list(.sample, limit: 7)
            #expect(
                found == [
                    try StoredObject(path: "a/x", size: 1, modified: 4),
                    try StoredObject(path: "b", size: 2, modified: 5, tag: "t"),
                ]
            )
            let notes = try fake.notes()
            #expect(
                notes == [
                    "started",
                    #"{"limit": 7, "options": {"AWS_REGION": "eu-west-1"}, "url": "s3://bucket/models/"}"#,
                    "given",
                ]
            )
        }
    }

    @Test(arguments: [
        ("notFound", StorageError.notFound("why")), ("denied", .denied("why")), ("unreachable", .unreachable("why")),
        ("changed", .changed("why")), ("truncated", .truncated("why")), ("diskFull", .diskFull("why")),
        ("tooMany", .tooMany("why")), ("unsupported", .unsupported("why")), ("cancelled", .cancelled),
        ("failed", .failed("why")), ("a kind of later", .failed("why")),
    ])
    func `a fault becomes the error of its kind`(kind: String, error: StorageError) async throws {
        try await self.withAgent("hello()\nfault(read()[2], '\(kind)', 'why')\nread()") { agent, _ in
            await #expect(throws: error) { try await agent.list(.sample, limit: 1) }
        }
    }

    @Test
    func `what is wrong with an object is listed with it`() async throws {
        let script = """
            hello()
            send_id = read()[2]
            page = [{"path": "2/a", "size": 0, "modified": 0, "tag": None, "flaw": "s3://b/2/a is none"}]
            send(0x48, send_id, json.dumps(page).encode())
            send(0x4A, send_id)
            read()
            """
        try await self.withAgent(script) { agent, _ in
            let found = try await agent.list(.sample, limit: 7)
            #expect(found == [try StoredObject(path: "2/a", flaw: "s3://b/2/a is none")])
        }
    }

    @Test
    func `an object that may not be written is refused on this side too`() async throws {
        let script = """
            hello()
            send(0x48, read()[2], b'[{"path":"../x","size":2,"modified":5,"tag":null}]')
            read()
            """
        try await self.withAgent(script) { agent, _ in
            let error = await #expect(throws: StorageError.self) { try await agent.list(.sample, limit: 1) }
            guard case .failed = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test
    func `a fetch of many objects takes several frames and tells its progress`() async throws {
        let script = """
            hello()
            objects, frames = [], 0
            while True:
                kind, flags, id, body = read()
                frames += 1
                message = json.loads(body)
                objects += message["objects"]
                if not flags & 1:
                    break
            note(f"{frames > 1} {len(objects)} {objects[0]['path']} {objects[-1]['path']} {message['folder']}")
            send(0x49, id, struct.pack("<Q", 1000))
            send(0x4A, id)
            read()
            """
        try await self.withAgent(script) { agent, fake in
            let objects = try (0..<10_000).map { number in
                try StoredObject(path: "1/\(String(repeating: "x", count: 200))\(number)", size: 1, modified: 0)
            }
            let progress = Mutex<[Int64]>([])
            try await agent.fetch(objects, of: .sample, dropping: "1/", into: "/tmp/nowhere") { count in
                progress.withLock { $0.append(count) }
            }
            #expect(progress.withLock { $0 } == [1000])
            let first = objects.first?.path ?? ""
            let final = objects.last?.path ?? ""
            let last = try fake.notes().last
            #expect(last == "True 10000 \(first) \(final) /tmp/nowhere")
        }
    }

    @Test
    func `cancelling waits until the agent has let go`() async throws {
        let script = """
            hello()
            kind, flags, id, body = read()
            send(0x49, id, struct.pack("<Q", 1))
            kind, flags, aborted, body = read()
            note(f"{kind:#x} {aborted == id}")
            fault(id, "cancelled", "the transfer was cancelled")
            read()
            """
        try await self.withAgent(script) { agent, fake in
            let (begun, continuation) = AsyncStream.makeStream(of: Int64.self)
            let task = Task {
                try await agent.fetch([], of: .sample, dropping: "", into: "/tmp/nowhere") { continuation.yield($0) }
            }
            for await _ in begun { break }
            task.cancel()
            await #expect(throws: StorageError.cancelled) { try await task.value }
            let notes = try fake.notes()
            #expect(notes == ["started", "0x42 True"])
        }
    }

    @Test
    func `requests at once are told apart`() async throws {
        let script = """
            hello()
            first, second = read(), read()
            for kind, flags, id, body in (second, first):
                path = json.loads(body)["url"].split("/")[3]
                send(0x48, id, json.dumps([{"path": path, "size": 1, "modified": 0, "tag": None}]).encode())
                send(0x4A, id)
            read()
            """
        try await self.withAgent(script) { agent, _ in
            async let one = agent.list(.remote(RemoteLocation(url: "s3://b/one/")), limit: 9)
            async let two = agent.list(.remote(RemoteLocation(url: "s3://b/two/")), limit: 9)
            let paths = try await [one.map(\.path), two.map(\.path)]
            #expect(paths == [["one"], ["two"]])
        }
    }

    @Test
    func `a request fails with its process and the next one gets another`() async throws {
        let script = """
            hello()
            kind, flags, id, body = read()
            if starts() == 1:
                print("out of memory", flush=True)
                os._exit(3)
            send(0x4A, id)
            read()
            """
        try await self.withAgent(script) { agent, fake in
            let error = await #expect(throws: StorageError.self) { try await agent.list(.sample, limit: 1) }
            #expect(error?.isTransient == true)
            #expect(error?.description.contains("the storage agent ended") == true)
            let found = try await agent.list(.sample, limit: 1)
            #expect(found == [])
            let notes = try fake.notes()
            #expect(notes == ["started", "started"])
        }
    }

    @Test
    func `a process that cannot start says why`() async throws {
        let script = "raise SystemExit('no module named obstore')"
        try await self.withAgent(script) { agent, _ in
            let error = await #expect(throws: StorageError.self) { try await agent.list(.sample, limit: 1) }
            #expect(error?.isTransient == true)
            #expect(error?.description.contains("no module named obstore") == true)
        }
    }

    @Test
    func `an environment that cannot be made is told`() async throws {
        struct Offline: Error, CustomStringConvertible {
            var description: String { "the package index does not answer" }
        }
        try await FakeAgent.with("") { fake in
            var launch = fake.launch
            launch.python = { _ in throw Offline() }
            try await withRunning(launch) { agent in
                let error = await #expect(throws: StorageError.self) { try await agent.list(.sample, limit: 1) }
                #expect(error?.description.contains("the package index does not answer") == true)
            }
        }
    }

    @Test
    func `a frame that no agent sends ends the connection`() async throws {
        let script = """
            hello()
            send(0x11, read()[2])
            read()
            """
        try await self.withAgent(script) { agent, fake in
            let error = await #expect(throws: StorageError.self) { try await agent.list(.sample, limit: 1) }
            #expect(error?.isTransient == true)
        }
    }

    @Test
    func `without a request there is no process`() async throws {
        try await FakeAgent.with("hello()\nread()") { fake in
            try await withRunning(fake.launch) { _ in }
            let notes = try fake.notes()
            #expect(notes == [])
        }
    }

    @Test
    func `its process ends with it and requests are refused then`() async throws {
        let script = """
            hello()
            send(0x4A, read()[2])
            read()
            """
        try await FakeAgent.with(script) { fake in
            let ended = Mutex<[Int32]>([])
            var launch = fake.launch
            launch.ended = { pid in ended.withLock { $0.append(pid) } }
            let stopped = try await withRunning(launch) { agent in
                let found = try await agent.list(.sample, limit: 1)
                #expect(found == [])
                return agent
            }
            let pids = ended.withLock { $0 }
            #expect(pids.count == 1)
            #expect(pids.allSatisfy { kill($0, 0) != 0 })
            await #expect(throws: StorageAgent.stopped) { try await stopped.list(.sample, limit: 1) }
        }
    }

    @Test
    func `a folder of this machine is none of its places`() async throws {
        try await FakeAgent.with("") { fake in
            try await withRunning(fake.launch) { agent in
                await #expect(
                    throws: StorageError.unsupported("/x is a folder of this machine, not a place in a store")
                ) {
                    try await agent.list(.folder("/x"), limit: 1)
                }
            }
        }
    }

    @Test
    func `delays between starts grow to a bound`() {
        let delays = (1...20).map { StorageAgent.delay(failures: $0) }
        #expect(delays[0] >= .milliseconds(90) && delays[0] <= .milliseconds(110))
        #expect(delays[4] >= .milliseconds(1440) && delays[4] <= .milliseconds(1760))
        #expect(delays.allSatisfy { $0 <= .seconds(33) })
        #expect(delays[19] >= .seconds(27))
    }
}

/// Runs an agent until `body` has returned, and waits for its end.
@discardableResult
func withRunning<R: Sendable>(
    _ launch: StorageAgentLaunch,
    _ body: (StorageAgent) async throws -> R
) async throws -> R {
    let agent = StorageAgent(
        launch: launch,
        eventLoops: MultiThreadedEventLoopGroup.singleton,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        backoff: { _ in .zero }
    )
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await agent.run() }
        let result = try await body(agent)
        group.cancelAll()
        try await group.waitForAll()
        return result
    }
}
