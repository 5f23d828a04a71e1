import CortexTelemetry
import Foundation
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(1))) struct LogSinkTests {
    private let folder: TemporaryFolder
    private let sink: LogSink

    init() throws {
        self.folder = try TemporaryFolder()
        self.sink = LogSink(file: RotatingFile(path: "\(self.folder.path)/log"))
    }

    private var written: String {
        get throws { String(decoding: try Data(contentsOf: URL(filePath: "\(self.folder.path)/log")), as: UTF8.self) }
    }

    @Test func `what was appended is in the file after a flush`() async throws {
        let writer = Task { await self.sink.run() }
        for number in 0..<100 { self.sink.append(ByteBuffer(string: "\(number)\n")) }
        await self.sink.flush()
        #expect(try self.written == (0..<100).map { "\($0)\n" }.joined())
        self.sink.close()
        await writer.value
    }

    @Test func `closing writes what is left and ends those who follow`() async throws {
        let lines = self.sink.follow()
        self.sink.append(ByteBuffer(string: "one\ntwo\n"))
        self.sink.close()
        await self.sink.run()
        #expect(try self.written == "one\ntwo\n")
        var followed: [String] = []
        for await line in lines { followed.append(line) }
        #expect(followed == ["one", "two"])
        #expect(await self.sink.follow().first { _ in true } == nil)
    }

    @Test func `a follower hears what comes after it, and holds nobody up`() async throws {
        let writer = Task { await self.sink.run() }
        self.sink.append(ByteBuffer(string: "before\n"))
        let idle = self.sink.follow()
        for number in 0..<20_000 { self.sink.append(ByteBuffer(string: "\(number)\n")) }
        await self.sink.flush()
        self.sink.close()
        await writer.value
        var count = 0
        var last = ""
        for await line in idle {
            count += 1
            last = line
        }
        #expect(count == 10_000)
        #expect(last == "19999")
    }

    @Test func `beyond its bound lines are dropped and counted`() async throws {
        let line = ByteBuffer(string: String(repeating: "x", count: 1 << 20) + "\n")
        for _ in 0..<6 { self.sink.append(line) }
        self.sink.close()
        await self.sink.run()
        let text = try self.written
        #expect(text.utf8.count < LogSink.bound + 200)
        #expect(text.contains("3 log writes were dropped"))
    }
}
