import NIOCore
import NIOEmbedded
import Testing

@testable import CortexGateway

struct SettingsHandlerTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let settings: [UInt8] = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0]
    private static let empty: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
    private static let acknowledgement: [UInt8] = [0, 0, 0, 4, 1, 0, 0, 0, 0]
    private static let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    /// A frame whose content looks like the one that is dropped.
    private static let disguised: [UInt8] = [0, 0, 9, 0, 0, 0, 0, 0, 1] + Self.acknowledgement

    /// What the codec is given of what a client sends, cut into pieces of a size.
    private func passed(_ bytes: [UInt8], cut size: Int = .max) throws -> (bytes: [UInt8], isDone: Bool) {
        let channel = EmbeddedChannel(handler: SettingsHandler(announcedStreams: 100))
        var rest = ByteBuffer(bytes: bytes)
        while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
            try channel.writeInbound(piece)
        }
        var passed: [UInt8] = []
        while let piece = try channel.readInbound(as: ByteBuffer.self) { passed += piece.readableBytesView }
        let isDone = (try? channel.pipeline.syncOperations.handler(type: SettingsHandler.self)) == nil
        return (passed, isDone)
    }

    @Test(arguments: [1, 2, 8, 9, 10, 1000])
    func `An acknowledgement follows the first settings, and the client's own is dropped`(size: Int) throws {
        let rest = Self.disguised + Self.ping
        let sent = Self.preface + Self.settings + rest + Self.acknowledgement + Self.ping
        let (passed, isDone) = try self.passed(sent, cut: size)
        #expect(passed == Self.preface + Self.settings + Self.acknowledgement + rest + Self.ping)
        #expect(isDone)
    }

    @Test func `Settings without content are settings`() throws {
        let passed = try self.passed(Self.preface + Self.empty)
        #expect(passed.bytes == Self.preface + Self.empty + Self.acknowledgement)
        #expect(!passed.isDone)
    }

    @Test func `A second acknowledgement reaches the codec, which refuses it`() throws {
        let passed = try self.passed(Self.preface + Self.empty + Self.acknowledgement + Self.acknowledgement)
        #expect(passed.bytes == Self.preface + Self.empty + Self.acknowledgement + Self.acknowledgement)
    }

    @Test func `What means nothing in an acknowledgement is passed over`() throws {
        let strange: [UInt8] = [0, 0, 0, 4, 0xFF, 0x80, 0, 0, 0]
        let passed = try self.passed(Self.preface + Self.empty + strange)
        #expect(passed.bytes == Self.preface + Self.empty + Self.acknowledgement)
    }

    @Test(arguments: [
        Self.ping, Self.acknowledgement, [0, 0, 1, 4, 1, 0, 0, 0, 0, 0], Array("GET / HTTP/1.1\r\n\r\n".utf8),
    ])
    func `A connection that does not begin with settings is the codec's`(first: [UInt8]) throws {
        let sent = Self.preface + first + Self.settings
        #expect(try self.passed(sent).bytes == sent)
    }

    @Test func `Malformed acknowledgements are the codec's`() throws {
        for frame: [UInt8] in [[0, 0, 1, 4, 1, 0, 0, 0, 0, 9], [0, 0, 0, 4, 1, 0, 0, 0, 1]] {
            let passed = try self.passed(Self.preface + Self.empty + frame)
            #expect(passed.bytes == Self.preface + Self.empty + Self.acknowledgement + frame)
        }
    }

    @Test func `The client is told of fewer streams, and of all else as it is`() throws {
        let channel = EmbeddedChannel(handler: SettingsHandler(announcedStreams: 100))
        let settings: [UInt8] = [0, 0, 12, 4, 0, 0, 0, 0, 0, 0, 3, 0x7F, 0xFF, 0xFF, 0xFF, 0, 6, 0, 0, 0, 3]
        try channel.writeOutbound(ByteBuffer(bytes: settings))
        try channel.writeOutbound(ByteBuffer(bytes: settings))
        let announced: [UInt8] = [0, 0, 12, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100, 0, 6, 0, 0, 0, 3]
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(bytes: announced))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(bytes: settings), "only the first ones")
    }
}
