import CortexTelemetry
import Foundation
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(1))) struct RotatingFileTests {
    private let folder: TemporaryFolder

    init() throws { self.folder = try TemporaryFolder() }

    private func text(_ name: String) -> String? {
        (try? Data(contentsOf: URL(filePath: "\(self.folder.path)/\(name)"))).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test func `a full file moves up and the oldest goes`() async {
        let file = RotatingFile(path: "\(self.folder.path)/log", limit: 10, generations: 2)
        for line in ["1111\n", "2222\n", "3333\n", "4444\n", "5555\n", "6666\n", "7777\n"] {
            await file.append(ByteBuffer(string: line))
        }
        #expect(self.text("log") == "7777\n")
        #expect(self.text("log.1") == "5555\n6666\n")
        #expect(self.text("log.2") == "3333\n4444\n")
        #expect(self.text("log.3") == nil)
    }

    @Test func `what is longer than a file is kept whole`() async {
        let file = RotatingFile(path: "\(self.folder.path)/log", limit: 4, generations: 1)
        await file.append(ByteBuffer(string: "longer than four\n"))
        await file.append(ByteBuffer(string: "next\n"))
        #expect(self.text("log.1") == "longer than four\n")
        #expect(self.text("log") == "next\n")
    }

    @Test func `a file is gone on with, by its size, and is its owner's only`() async throws {
        let path = "\(self.folder.path)/log"
        await RotatingFile(path: path, limit: 8).append(ByteBuffer(string: "12345\n"))
        let second = RotatingFile(path: path, limit: 8)
        await second.append(ByteBuffer(string: "7\n"))
        await second.append(ByteBuffer(string: "9\n"))
        #expect(self.text("log.1") == "12345\n7\n")
        #expect(self.text("log") == "9\n")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func `a file that cannot be written is counted and nothing more`() async throws {
        let path = "\(self.folder.path)/missing/log"
        let file = RotatingFile(path: path)
        await file.append(ByteBuffer(string: "12345"))
        #expect(await file.lost == 5)
        try FileManager.default.createDirectory(
            atPath: "\(self.folder.path)/missing",
            withIntermediateDirectories: false
        )
        await file.append(ByteBuffer(string: "after"))
        #expect(self.text("missing/log") == "after")
        #expect(await file.lost == 5)
    }

    @Test func `a line that was cut off is ended before the next`() async throws {
        let path = "\(self.folder.path)/log"
        try Data("half a li".utf8).write(to: URL(filePath: path))
        let file = RotatingFile(path: path)
        await file.append(ByteBuffer(string: "whole\n"))
        await file.append(ByteBuffer(string: "next\n"))
        #expect(self.text("log") == "half a li\nwhole\nnext\n")
    }
}
