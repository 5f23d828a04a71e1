import CortexWire
import NIOCore
import Testing

@Suite struct FrameDecoderTests {
    private static let frames = [
        Frame(.hello, body: ByteBuffer(string: #"{"protocol": 1}"#)),
        Frame(.idle, id: 7),
        Frame(.answer, flags: .workFollows, code: 200, id: .max, body: ByteBuffer(bytes: 0...255)),
        Frame(.end, id: 0),
        Frame(.chunk, code: 0xFFFF, id: 1 << 40, body: ByteBuffer(string: "x")),
    ]

    private static var bytes: ByteBuffer {
        var buffer = ByteBuffer()
        for frame in self.frames { frame.write(into: &buffer) }
        return buffer
    }

    @Test(arguments: 1...Self.bytes.readableBytes)
    func `frames are the same however their bytes are cut`(size: Int) throws {
        var bytes = Self.bytes
        var decoder = FrameDecoder()
        var found: [Frame] = []
        while bytes.readableBytes > 0 {
            let piece = bytes.readSlice(length: min(size, bytes.readableBytes))
            decoder.append(try #require(piece))
            while let frame = try decoder.next() { found.append(frame) }
        }
        #expect(found == Self.frames)
        #expect(try decoder.next() == nil)
    }

    @Test(arguments: 0..<Self.bytes.readableBytes)
    func `one cut anywhere loses nothing`(position: Int) throws {
        var rest = Self.bytes
        var decoder = FrameDecoder()
        var found: [Frame] = []
        let start = rest.readSlice(length: position)
        decoder.append(try #require(start))
        while let frame = try decoder.next() { found.append(frame) }
        decoder.append(rest)
        while let frame = try decoder.next() { found.append(frame) }
        #expect(found == Self.frames)
    }

    private static let largeBody = ByteBuffer(bytes: (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) })

    /// A large answer between two small ones, in pieces of `size` bytes, each in the memory of a read of `capacity`.
    private func readLarge(by size: Int, capacity: Int) throws -> [Frame] {
        let frames = [
            Frame(.answer, code: 200, id: 1, body: ByteBuffer(string: "[1]")),
            Frame(.answer, flags: .workFollows, code: 201, id: 2, body: Self.largeBody),
            Frame(.answer, code: 202, id: 3, body: ByteBuffer(string: "[3]")),
        ]
        var bytes = frames.reduce(into: ByteBuffer()) { $1.write(into: &$0) }
        var decoder = FrameDecoder()
        var found: [Frame] = []
        while bytes.readableBytes > 0 {
            var read = ByteBufferAllocator().buffer(capacity: capacity)
            let piece = bytes.readSlice(length: min(size, bytes.readableBytes))
            read.writeImmutableBuffer(try #require(piece))
            decoder.append(read)
            while let frame = try decoder.next() { found.append(frame) }
        }
        for (frame, expected) in zip(found, frames) {
            #expect(frame.gathered == expected.body)
            #expect((frame.flags, frame.code, frame.id) == (expected.flags, expected.code, expected.id))
        }
        return found
    }

    @Test(arguments: [1, 15, 16, 17, 1000, 16 << 10, 64 << 10, 100_000, 200_000, 1 << 20])
    func `a large answer is the same however its bytes are cut`(size: Int) throws {
        #expect(try self.readLarge(by: size, capacity: size).count == 3)
    }

    @Test func `a large answer keeps the memory that it was read into`() throws {
        let frames = try self.readLarge(by: 64 << 10, capacity: 64 << 10)
        #expect(frames.map(\.tail.count) == [0, 3, 0])
        #expect(frames[1].tail.dropLast().allSatisfy { $0.readableBytes == 64 << 10 })
    }

    @Test func `a large answer that comes in small pieces holds little more than itself`() throws {
        let frames = try self.readLarge(by: 20 << 10, capacity: 256 << 10)
        let pieces = [frames[1].body] + frames[1].tail
        #expect(pieces.reduce(0) { $0 + $1.storageCapacity } <= 2 * Self.largeBody.readableBytes)
    }

    private func head(length: UInt32, kind: UInt8) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(length, kind, UInt8(0), UInt16(0), UInt64(0), endianness: .little)
        return buffer
    }

    @Test(arguments: [UInt32(16 << 20) + 1, 1 << 31, .max])
    func `a length beyond the limit is refused by the head alone`(length: UInt32) {
        var decoder = FrameDecoder()
        decoder.append(self.head(length: length, kind: Frame.Kind.answer.rawValue))
        #expect(throws: FrameDecoder.Violation.tooLong(Int(length))) { try decoder.next() }
    }

    @Test func `a length at the limit is waited for`() throws {
        var decoder = FrameDecoder()
        decoder.append(self.head(length: 16 << 20, kind: Frame.Kind.answer.rawValue))
        #expect(try decoder.next() == nil)
    }

    @Test(arguments: [0x00, 0x03, 0x0F, 0x18, 0x2F, 0x3F, 0xFF] as [UInt8])
    func `a kind that is none is refused by the head alone`(kind: UInt8) {
        var decoder = FrameDecoder()
        decoder.append(self.head(length: 5, kind: kind))
        #expect(throws: FrameDecoder.Violation.unknownKind(kind)) { try decoder.next() }
    }
}
