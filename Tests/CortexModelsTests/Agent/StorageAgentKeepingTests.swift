import Foundation
import Logging
import NIOPosix
import Testing

@testable import CortexModels

/// Files that the agent is asked to keep.
@Suite(.timeLimit(.minutes(2)))
struct StorageAgentKeepingTests {
    private static let script = """
        hello()
        while True:
            kind, flags, id, body = read()
            note(f"{kind:#x} " + json.dumps(json.loads(body), sort_keys=True))
            if kind == 0x44 and b'"there.tar"' in body:
                send(0x48, id, b'[{"path":"there.tar","size":3,"modified":5,"tag":"t"}]')
            if b"forbidden" in body:
                fault(id, "denied", "why")
            else:
                send(0x4A, id)
        """

    @Test
    func `files are put, found and removed by their names`() async throws {
        try await FakeAgent.with(Self.script) { fake in
            let agent = StorageAgent(
                launch: fake.launch,
                eventLoops: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            let place = ModelLocation.remote(RemoteLocation(url: "s3://bucket/projects/"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await agent.run() }
                try await agent.put("/tmp/file", as: "there.tar", at: place)
                #expect(
                    try await agent.find("there.tar", at: place)
                        == StoredObject(path: "there.tar", size: 3, modified: 5, tag: "t")
                )
                #expect(try await agent.find("other.tar", at: place) == nil)
                try await agent.remove([], at: place)
                try await agent.remove((0..<1001).map { "\($0)" }, at: place)
                await #expect(throws: StorageError.denied("why")) {
                    try await agent.put("/tmp/file", as: "forbidden", at: place)
                }
                group.cancelAll()
            }
            let notes = try fake.notes().dropFirst()
            #expect(
                notes.prefix(3) == [
                    #"0x43 {"file": "/tmp/file", "options": {}, "path": "there.tar", "url": "s3://bucket/projects/"}"#,
                    #"0x44 {"options": {}, "path": "there.tar", "url": "s3://bucket/projects/"}"#,
                    #"0x44 {"options": {}, "path": "other.tar", "url": "s3://bucket/projects/"}"#,
                ]
            )
            #expect(notes.filter { $0.hasPrefix("0x45") }.count == 2)
        }
    }

    @Test
    func `a folder of this machine keeps nothing`() async throws {
        try await FakeAgent.with(Self.script) { fake in
            let agent = StorageAgent(
                launch: fake.launch,
                eventLoops: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            await #expect(throws: StorageError.self) {
                try await agent.put("/tmp/file", as: "a", at: .folder("/tmp"))
            }
        }
    }
}
