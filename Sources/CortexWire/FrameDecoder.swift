package import NIOCore

/// Cuts the bytes of one connection into frames.
///
/// Bytes arrive in any pieces; a frame that lies whole in one piece is handed out as a slice of it, without a copy. Other
/// frames are gathered in one piece of memory, but for large answers, which keep the pieces that they came in.
package struct FrameDecoder: Sendable {
    /// What no peer of this protocol sends: the connection has to be closed.
    package enum Violation: Error, Hashable {
        case unknownKind(UInt8)
        case tooLong(Int)
    }

    /// Bytes of an answer beyond which it is not gathered.
    private static let gathered = 64 << 10

    private var pending: ByteBuffer?
    /// Bytes of the frame that `pending` is the beginning of, once its head is there: it is gathered in one piece of memory.
    private var expected = 0
    /// Comes before `pending`.
    private var large: LargeFrame?

    package init() {}

    package mutating func append(_ bytes: ByteBuffer) {
        var bytes = bytes
        self.large?.take(from: &bytes)
        guard bytes.readableBytes > 0 else { return }
        if var pending = self.pending.take(), pending.readableBytes > 0 {
            pending.discardReadBytes()
            pending.reserveCapacity(self.expected)
            pending.writeBuffer(&bytes)
            self.pending = pending
        } else {
            self.pending = bytes
        }
    }

    /// The next whole frame; nil until more bytes have come.
    ///
    /// Kind and length are judged as soon as the head is there, so that a hostile length is refused and never waited for.
    package mutating func next() throws(Violation) -> Frame? {
        if let large = self.large {
            guard large.missing == 0 else { return nil }
            self.large = nil
            return large.frame
        }
        guard
            var pending = self.pending,
            let (length, kind, flags, code, id) = pending.peekMultipleIntegers(
                endianness: .little,
                as: (UInt32, UInt8, UInt8, UInt16, UInt64).self
            )
        else { return nil }
        guard let kind = Frame.Kind(rawValue: kind) else { throw .unknownKind(kind) }
        guard length <= Frame.maximumLength else { throw .tooLong(Int(length)) }
        self.expected = Frame.headLength + Int(length)
        let isWhole = pending.readableBytes >= self.expected
        guard isWhole || kind == .answer && length > Self.gathered else { return nil }
        pending.moveReaderIndex(forwardBy: Frame.headLength)
        self.expected = 0
        var frame = Frame(kind, flags: Frame.Flags(rawValue: flags), code: code, id: id)
        guard isWhole else {
            var large = LargeFrame(frame, length: Int(length))
            large.take(from: &pending)
            self.pending = nil
            self.large = large
            return nil
        }
        frame.body = pending.readSlice(length: Int(length)) ?? ByteBuffer()
        self.pending = pending.readableBytes > 0 ? pending : nil
        return frame
    }
}
