import CortexTelemetry
import Foundation
import NIOCore
import Testing

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// By a name that no member of a suite hides.
private let systemRead = read

@Suite(.timeLimit(.minutes(1))) struct LineOutputTests {
    private let pipe = Pipe()
    private let output: LineOutput

    init() {
        self.output = LineOutput(descriptor: self.pipe.fileHandleForWriting.fileDescriptor) {
            ByteBuffer(string: "\($0) dropped\n")
        }
    }

    /// The lines that are in the pipe now.
    private func read() -> [String] {
        let descriptor = self.pipe.fileHandleForReading.fileDescriptor
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = buffer.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    @Test func `lines arrive as they are`() {
        self.output.write(ByteBuffer(string: "one\n"))
        self.output.write(ByteBuffer(string: String(repeating: "x", count: 10_000) + "\n"))
        #expect(self.read() == ["one", String(repeating: "x", count: 10_000), ""])
    }

    @Test func `a pipe that nobody reads holds nobody up, and the lines that it lost are counted`() {
        let line = String(repeating: "x", count: 99)
        // More than any pipe holds.
        let written = 100_000
        for _ in 0..<written { self.output.write(ByteBuffer(string: line + "\n")) }
        let arrived = self.read().dropLast()
        #expect(!arrived.isEmpty)
        #expect(arrived.allSatisfy { $0 == line })
        self.output.write(ByteBuffer(string: "after\n"))
        #expect(self.read() == ["\(written - arrived.count) dropped", "after", ""])
    }

    @Test func `a line that finds no room for its end is not mixed with the next one`() throws {
        let line = String(repeating: "x", count: 10_000_000)
        self.output.write(ByteBuffer(string: line + "\n"))
        let start = try #require(self.read().first)
        #expect(start.count < line.count)
        #expect(start.allSatisfy { $0 == "x" })
        self.output.write(ByteBuffer(string: "next\n"))
        #expect(self.read() == ["", "next", ""])
    }

    @Test func `a line for a reader that has gone is lost`() throws {
        signal(SIGPIPE, SIG_IGN)
        try self.pipe.fileHandleForReading.close()
        for _ in 0..<3 { self.output.write(ByteBuffer(string: "nobody\n")) }
    }
}
