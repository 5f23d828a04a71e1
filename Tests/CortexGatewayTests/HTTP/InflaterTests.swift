import NIOCore
import Testing

@testable import CortexGateway

@Suite struct InflaterTests {
    /// One member that holds `text`.
    private static let gzip: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xFF, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC8, 0x40,
        0x90,
        0x5C, 0x00, 0x3B, 0x7C, 0x8A, 0xDF, 0x12, 0x00, 0x00, 0x00,
    ]
    private static let text = "hello hello hello\n"

    private static func inflate(_ bytes: [UInt8], piece: Int = .max, bound: Int = 1 << 20) throws -> String {
        let inflater = try #require(try Inflater(.gzip))
        var output = ByteBuffer()
        var rest = bytes[...]
        while !rest.isEmpty {
            var input = ByteBuffer(bytes: rest.prefix(piece))
            rest = rest.dropFirst(piece)
            while true {
                let before = output.readableBytes
                let isDone = try inflater.inflate(&input, into: &output, atMost: bound)
                #expect(output.readableBytes - before <= bound)
                if isDone { break }
            }
            #expect(input.readableBytes == 0)
        }
        try inflater.finish()
        return String(buffer: output)
    }

    @Test(arguments: [1, 2, 10, 100], [1, 7, 1000])
    func `pieces of any size make the whole`(piece: Int, bound: Int) throws {
        #expect(try Self.inflate(Self.gzip, piece: piece, bound: bound) == Self.text)
        #expect(try Self.inflate(Self.gzip + Self.gzip, piece: piece, bound: bound) == Self.text + Self.text)
    }

    @Test(arguments: 1..<Self.gzip.count)
    func `a stream that is cut is not whole, wherever it is`(length: Int) {
        #expect(throws: GatewayError.self) { try Self.inflate(Array(Self.gzip.prefix(length))) }
    }

    @Test(arguments: Self.gzip.indices)
    func `a byte more or another checksum is found`(index: Int) throws {
        #expect(throws: GatewayError.self) { try Self.inflate(Self.gzip + [Self.gzip[index] ^ 0xFF]) }
        guard index >= 10 else { return }
        var damaged = Self.gzip
        damaged[index] ^= 0xFF
        #expect(throws: GatewayError.self) { try Self.inflate(damaged) }
    }

    @Test func `nothing is nothing`() throws {
        #expect(try Self.inflate([]).isEmpty)
        #expect(try Inflater(.identity) == nil)
    }
}
