import NIOCore
import Testing

@testable import CortexGateway

@Suite struct CollectedBodyTests {
    private static let place = CollectedBody.Place(
        GatewayConfiguration(spoolDirectory: "/tmp", inlineLimit: 1 << 20),
        budget: ByteBudget(bytes: 1 << 20)
    )

    private func bytes(_ count: Int, of value: UInt8) -> ByteBuffer { ByteBuffer(repeating: value, count: count) }

    /// Pieces of these sizes, each of a byte of its own.
    private func pieces(_ sizes: [Int]) -> [ByteBuffer] {
        sizes.enumerated().map { self.bytes($0.element, of: UInt8($0.offset)) }
    }

    private func joined(_ pieces: [ByteBuffer]) -> ByteBuffer {
        pieces.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
    }

    private func kept(_ body: CollectedBody) -> [ByteBuffer] {
        switch body.body {
        case .bytes(let bytes): [bytes]
        case .pieces(let pieces): pieces
        case .spooled: []
        }
    }

    @Test(
        arguments: [
            ([], 0), ([10], 0), ([10, 10, 10], 0), ([100, 64 << 10], 1), ([64 << 10, 64 << 10, 64 << 10], 2),
            ([10, 64 << 10, 10, 10, 64 << 10, 5], 2), ([10, 10, 64 << 10], 1),
        ] as [([Int], Int)]
    )
    func `large pieces stay what they are, small ones are gathered`(sizes: [Int], rest: Int) {
        var body = CollectedBody()
        let pieces = self.pieces(sizes)
        for piece in pieces { body.keep(piece, expecting: 1 << 17) }
        let kept = self.kept(body)
        #expect(kept.count == 1 + rest)
        #expect(self.joined(kept) == self.joined(pieces))
        #expect(body.body.size == body.size && body.size == sizes.reduce(0, +))
    }

    @Test func `what a piece leaves unused of its memory is not held`() {
        var body = CollectedBody()
        var read = ByteBufferAllocator().buffer(capacity: 256 << 10)
        read.writeRepeatingByte(7, count: 20 << 10)
        for _ in 0..<3 { body.keep(read) }
        #expect(self.kept(body).map(\.readableBytes) == [60 << 10])
    }

    @Test func `a body that gets too large goes to disk as a whole`() throws {
        var body = CollectedBody()
        let pieces = self.pieces([10, 64 << 10, 10, 64 << 10])
        for piece in pieces { body.keep(piece) }
        let last = self.bytes(10, of: 9)
        let (_, written) = try body.spool(last, Self.place)
        #expect(written == self.joined(pieces + [last]))
        #expect(body.size == written.readableBytes)
        body.release(Self.place)
    }
}
