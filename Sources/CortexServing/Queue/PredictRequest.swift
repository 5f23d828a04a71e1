import CortexWire
package import NIOCore

/// A request as a worker gets it: everything in the form in which it goes over the wire.
package struct PredictRequest: Sendable {
    /// How the predictor wants the body: the `code` of a `request` frame.
    package enum Payload: UInt16, Sendable {
        case none = 0
        case json = 1
        case urlencoded = 2
        case multipart = 3
        case bytes = 4
    }

    package enum Body: Hashable, Sendable {
        case inline(ByteBuffer)
        /// One after another: a large one, in the memory that it was read into.
        case pieces([ByteBuffer])
        /// A file in the spool, which the worker unlinks.
        case spooled(path: String)
    }

    /// Unique within this server process.
    package var id: UInt64
    /// What clients and logs call it.
    package var requestID: String
    /// What of it is there.
    package var arguments: PredictArguments
    package var payload: Payload
    /// JSON: what the predictor named of query and headers; nil where it named neither.
    package var meta: ByteBuffer?
    package var body: Body
    /// When its client's time is up, on the monotonic clock.
    package var deadline: NIODeadline
    /// When the time is up that its API gives to a request, however little of it the client wanted: a worker that is at
    /// work on it a grace later is replaced.
    package var apiDeadline: NIODeadline
    package var hops: UInt16
    /// Whether its sender is to hear that a worker gets it.
    package var tellsStart = false

    package init(
        id: UInt64,
        requestID: String,
        arguments: PredictArguments,
        payload: Payload,
        meta: ByteBuffer?,
        body: Body,
        deadline: NIODeadline,
        apiDeadline: NIODeadline,
        hops: UInt16
    ) {
        self.id = id
        self.requestID = requestID
        self.arguments = arguments
        self.payload = payload
        self.meta = meta
        self.body = body
        self.deadline = deadline
        self.apiDeadline = apiDeadline
        self.hops = hops
    }

    /// Whether it may be handed to a slot that is still at work (design: only what is small may wait there).
    ///
    /// And nothing that an API has sent: what is at work there may be what waits for it.
    var isLight: Bool {
        if case .spooled = self.body { return false }
        return self.hops == 0
    }

    /// Appends the `request` frame; without its body, that has to follow.
    func write(into buffer: inout ByteBuffer, apiVersion: Int, withBody: Bool = true) {
        let metaLength = self.meta?.readableBytes ?? 0
        var requestID = self.requestID
        let (idLength, flags, bodyLength): (Int, Frame.Flags, Int) =
            switch self.body {
            case .inline(let body): (requestID.utf8.count, [], body.readableBytes)
            case .pieces(let pieces): (requestID.utf8.count, [], pieces.reduce(0) { $0 + $1.readableBytes })
            case .spooled(let path): (requestID.utf8.count, .spooled, path.utf8.count)
            }
        let length = 20 + idLength + metaLength + bodyLength
        buffer.reserveCapacity(minimumWritableBytes: Frame.headLength + length - (withBody ? 0 : bodyLength))
        Frame.writeHead(
            into: &buffer,
            kind: .request,
            flags: flags,
            code: self.payload.rawValue,
            id: self.id,
            length: length
        )
        buffer.writeMultipleIntegers(
            UInt64(self.deadline.uptimeNanoseconds),
            UInt32(truncatingIfNeeded: apiVersion),
            self.hops,
            UInt16(idLength),
            UInt32(metaLength),
            endianness: .little
        )
        requestID.withUTF8 { _ = buffer.writeBytes($0) }
        if var meta = self.meta { buffer.writeBuffer(&meta) }
        switch self.body {
        case .inline(var body): if withBody { buffer.writeBuffer(&body) }
        case .pieces(let pieces): if withBody { for piece in pieces { buffer.writeImmutableBuffer(piece) } }
        case .spooled(let path): buffer.writeString(path)
        }
    }
}
