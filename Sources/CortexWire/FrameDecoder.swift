package import NIOCore

/// Cuts the bytes of one connection into frames.
///
/// Bytes arrive in any pieces; a frame that lies whole in one piece is handed out as a slice of it, without a copy.
package struct FrameDecoder: Sendable {
    /// What no peer of this protocol sends: the connection has to be closed.
    package enum Violation: Error, Hashable {
        case unknownKind(UInt8)
        case tooLong(Int)
    }

    private var pending: ByteBuffer?
    /// Bytes of the frame that `pending` is the beginning of, once its head is there: it is gathered in one piece of memory.
    private var expected = 0

    package init() {}

    package mutating func append(_ bytes: ByteBuffer) {
        if var pending = self.pending.take(), pending.readableBytes > 0 {
            var bytes = bytes
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
        guard pending.readableBytes >= self.expected else { return nil }
        pending.moveReaderIndex(forwardBy: Frame.headLength)
        let body = pending.readSlice(length: Int(length)) ?? ByteBuffer()
        self.pending = pending.readableBytes > 0 ? pending : nil
        self.expected = 0
        return Frame(kind, flags: Frame.Flags(rawValue: flags), code: code, id: id, body: body)
    }
}
