import NIOCore

/// Has the codec go by this server's settings from the client's first frame on, and tells the client of fewer streams
/// than the codec takes.
///
/// A client may open streams, with heads of any size, before it has read those settings, and one stream too many is an
/// error of that stream alone (RFC 9113, 5.1.2 and 6.5.3). The codec allows 100 streams and heads of 16 KiB until the
/// settings are acknowledged, and then what they say, and ends the connection at the first that is beyond. So it gets an
/// acknowledgement right behind the client's first settings, in place of the client's own; and its own limit of streams
/// is out of reach. `HTTP2Connection` refuses those that are too many.
final class SettingsHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// The client's first frame has not begun.
        case preface
        /// Its settings are on their way.
        case settings
        /// The codec has its acknowledgement, and the client's is still to come.
        case acknowledged
        /// Nothing is left to do.
        case done
    }

    private let announcedStreams: Int
    private var isAnnounced = false
    private var state = State.preface
    /// Bytes that pass as they are: of the preface first, then of each frame's payload.
    private var passing = SettingsHandler.preface.utf8.count
    /// The beginning of a frame, until it is whole.
    private var header = ByteBuffer()

    /// - Parameter announcedStreams: How many the client is told that it may have open at once.
    init(announcedStreams: Int) {
        self.announcedStreams = announcedStreams
    }

    private static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    private static let headerLength = 9
    private static let acknowledgement = ByteBuffer(bytes: [0, 0, 0, settingsType, 1, 0, 0, 0, 0])
    private static let settingsType: UInt8 = 4
    private static let maximumStreamsKey: UInt16 = 3

    // MARK: From the client

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = self.unwrapInboundIn(data)
        while bytes.readableBytes > 0 {
            if case .done = self.state {
                context.fireChannelRead(self.wrapInboundOut(bytes))
                break
            }
            if self.passing > 0 {
                guard let piece = bytes.readSlice(length: min(self.passing, bytes.readableBytes)) else { break }
                self.passing -= piece.readableBytes
                context.fireChannelRead(self.wrapInboundOut(piece))
            } else {
                guard var piece = bytes.readSlice(length: min(self.missing, bytes.readableBytes)) else { break }
                self.header.writeBuffer(&piece)
                if self.missing == 0 { self.begin(context) }
            }
            if case .settings = self.state, self.passing == 0 {
                self.state = .acknowledged
                context.fireChannelRead(self.wrapInboundOut(Self.acknowledgement))
            }
        }
        if case .done = self.state { context.pipeline.syncOperations.removeHandler(self, promise: nil) }
    }

    /// Of the header of a frame.
    private var missing: Int { Self.headerLength - self.header.readableBytes }

    /// The header of a frame is whole.
    private func begin(_ context: ChannelHandlerContext) {
        let header = self.header
        self.header.clear()
        switch self.state {
        case .preface where Self.isSettings(header): self.state = .settings
        // Whatever it is, the codec knows what to do with it.
        case .preface: self.state = .done
        case .acknowledged where Self.isAcknowledgement(header):
            self.state = .done
            return
        case .settings, .acknowledged, .done: break
        }
        self.passing = header.getInteger(at: 0, as: UInt32.self).map { Int($0 >> 8) } ?? 0
        context.fireChannelRead(self.wrapInboundOut(header))
    }

    private static func isSettings(_ header: ByteBuffer) -> Bool {
        header.getInteger(at: 3) == self.settingsType && header.getInteger(at: 4, as: UInt8.self).map { $0 & 1 } == 0
    }

    /// Settings without content, of the whole connection, with the flag.
    private static func isAcknowledgement(_ header: ByteBuffer) -> Bool {
        guard header.getInteger(at: 0) == UInt32(self.settingsType) else { return false }
        // The other flags, and the highest bit of a stream's number, mean nothing.
        return header.getInteger(at: 4, as: UInt8.self).map { $0 & 1 } == 1
            && header.getInteger(at: 5, as: UInt32.self).map { $0 << 1 } == 0
    }

    // MARK: To the client

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !self.isAnnounced else { return context.write(data, promise: promise) }
        // The codec's first frame is its settings: a header, then keys of two bytes and values of four.
        self.isAnnounced = true
        var settings = self.unwrapOutboundIn(data)
        var entry = settings.readerIndex + Self.headerLength
        while let key = settings.getInteger(at: entry, as: UInt16.self) {
            if key == Self.maximumStreamsKey { settings.setInteger(UInt32(self.announcedStreams), at: entry + 2) }
            entry += 6
        }
        context.write(self.wrapOutboundOut(settings), promise: promise)
    }
}
