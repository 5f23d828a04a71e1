package import NIOCore

/// One message between the server and a process of its own: `docs/wire-protocol.md` has the layout.
package struct Frame: Hashable, Sendable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        case request = 0x01
        case taken = 0x02
        case hello = 0x10
        case answer = 0x11
        case head = 0x12
        case chunk = 0x13
        case end = 0x14
        case failure = 0x15
        case idle = 0x16
        case skipped = 0x17
        case ready = 0x20
        case failed = 0x21
        case log = 0x22
        case ensure = 0x23
        case model = 0x24
        case counted = 0x25
        case missing = 0x26
        case metrics = 0x27
        case welcome = 0x30
        case cancel = 0x31
        case drain = 0x32
        case models = 0x33
        case ensured = 0x34
        case count = 0x35
        case list = 0x40
        case fetch = 0x41
        case abort = 0x42
        case put = 0x43
        case find = 0x44
        case remove = 0x45
        case page = 0x48
        case progress = 0x49
        case done = 0x4A
        case fault = 0x4B
    }

    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// On `request`: the body is the path of a spool file.
        package static let spooled = Flags(rawValue: 1)
        /// On `fetch`: another frame with more objects of the same request comes.
        package static let moreFollows = Flags(rawValue: 1)
        /// On `answer`, `end`, `failure`: an `idle` follows when the work after the answer is done.
        package static let workFollows = Flags(rawValue: 1)
        /// On `failure`: the worker ends after this.
        package static let recycle = Flags(rawValue: 2)
    }

    package static let headLength = 16
    /// Bytes after the head that a peer may announce.
    package static let maximumLength = 16 << 20

    package var kind: Kind
    package var flags: Flags
    package var code: UInt16
    package var id: UInt64
    package var body: ByteBuffer
    /// What follows `body`, of a large answer: in the memory that it was read into.
    package var tail: [ByteBuffer] = []

    package init(_ kind: Kind, flags: Flags = [], code: UInt16 = 0, id: UInt64 = 0, body: ByteBuffer = ByteBuffer()) {
        self.kind = kind
        self.flags = flags
        self.code = code
        self.id = id
        self.body = body
    }

    /// All of the body in one piece of memory.
    package var gathered: ByteBuffer {
        guard !self.tail.isEmpty else { return self.body }
        var whole = ByteBuffer()
        whole.reserveCapacity(self.tail.reduce(self.body.readableBytes) { $0 + $1.readableBytes })
        whole.writeImmutableBuffer(self.body)
        for piece in self.tail { whole.writeImmutableBuffer(piece) }
        return whole
    }

    /// Appends the frame as it goes over the socket.
    package func write(into buffer: inout ByteBuffer) {
        var body = self.gathered
        Self.writeHead(
            into: &buffer,
            kind: self.kind,
            flags: self.flags,
            code: self.code,
            id: self.id,
            length: body.readableBytes
        )
        buffer.writeBuffer(&body)
    }

    package static func writeHead(
        into buffer: inout ByteBuffer,
        kind: Kind,
        flags: Flags,
        code: UInt16,
        id: UInt64,
        length: Int
    ) {
        buffer.writeMultipleIntegers(
            UInt32(length),
            kind.rawValue,
            flags.rawValue,
            code,
            id,
            endianness: .little
        )
    }
}
