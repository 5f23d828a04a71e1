import NIOCore
import NIOPosix

/// Gathers the body of one request, decoded where it came encoded.
struct BodyCollector {
    enum Step {
        case more
        /// Nothing more may be read until these bytes are on disk.
        case writing(EventLoopFuture<Void>)
        /// Nothing more may be read until the future has the body, which then is to be put back with `resume`.
        case inflating(EventLoopFuture<CollectedBody>)
    }

    private var limit: BodyLimit
    private let place: CollectedBody.Place
    /// Bytes that the client has announced; 0 where it has not.
    var announced = 0
    private var collected = CollectedBody()
    /// Nil for a body that is taken as it comes.
    private var inflater: Inflater?
    /// Bytes that came over the wire.
    private(set) var received = 0
    private var pace = BodyPace()

    init(_ place: CollectedBody.Place) {
        self.place = place
        self.limit = BodyLimit(bytes: 0)
    }

    /// Notes what the head of the request says; without that, no byte is taken.
    mutating func expect(_ limit: BodyLimit, _ coding: ContentCoding) throws(GatewayError) {
        self.limit = limit
        if !coding.isIdentity { self.inflater = try Inflater(coding) }
    }

    var body: UpstreamBody { self.collected.body }
    var size: Int { self.collected.size }
    var wasEncoded: Bool { self.inflater != nil }

    mutating func append(_ bytes: ByteBuffer, on eventLoop: any EventLoop) throws(GatewayError) -> Step {
        self.received += bytes.readableBytes
        if let inflater = self.inflater { return try self.inflate(bytes, inflater, on: eventLoop) }
        guard self.received <= self.limit.bytes else { throw .bodyTooLarge(self.limit) }
        if self.collected.fitsInMemory(bytes.readableBytes, self.place) {
            self.collected.keep(bytes, expecting: min(self.announced, self.place.inlineLimit))
            return .more
        }
        let (file, rest) = try self.collected.spool(bytes, self.place)
        return .writing(file.append(rest, on: eventLoop))
    }

    /// Reads past a body that nobody will use; false when it is too long for that.
    mutating func skip(_ bytes: ByteBuffer) -> Bool {
        self.received += bytes.readableBytes
        return self.received <= self.place.inlineLimit
    }

    /// Refuses what is not whole; to be called at the body's end.
    func finish() throws(GatewayError) {
        try self.inflater?.finish()
    }

    mutating func resume(_ collected: CollectedBody) {
        self.collected = collected
    }

    /// Gives back what came of a body whose request is gone.
    func discard(_ collected: CollectedBody) {
        var collected = collected
        collected.release(self.place)
    }

    /// Lets go of disk and memory; the request has been answered, or never will be.
    mutating func release() {
        self.collected.release(self.place)
    }

    /// Notes that nothing was read for so long: the client could not send.
    mutating func stoodStill(for time: TimeAmount) { self.pace.stoodStill(for: time) }

    /// Whether the client sends too slowly; asked when a piece has come.
    mutating func isTooSlow(_ configuration: GatewayConfiguration, begun: NIODeadline) -> Bool {
        self.pace.isTooSlow(received: self.received, configuration, begun: begun)
    }
}

extension BodyCollector {
    /// What the event loop makes of one piece itself, in bytes: a fraction of a millisecond.
    ///
    /// The rest is for another thread.
    private static let turn = 64 << 10

    private mutating func inflate(
        _ bytes: ByteBuffer,
        _ inflater: Inflater,
        on eventLoop: any EventLoop
    ) throws(GatewayError) -> Step {
        guard self.received <= self.limit.encodedBytes else { throw .bodyTooLarge(self.limit) }
        var input = bytes
        if self.collected.fitsInMemory(Self.turn, self.place) {
            var output = ByteBuffer()
            let isDone = try inflater.inflate(&input, into: &output, atMost: Self.turn)
            guard self.collected.size + output.readableBytes <= self.limit.bytes else {
                throw .bodyTooLarge(self.limit)
            }
            self.collected.keep(output)
            if isDone { return .more }
        }
        // The body goes with the work and comes back with `resume`; what is left here holds nothing.
        let job = InflateJob(inflater: inflater, limit: self.limit, place: self.place)
        let collected = self.collected
        let rest = input
        self.collected = CollectedBody()
        return .inflating(
            NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try job.run(rest, into: collected) }
        )
    }
}

/// Inflates one piece of input on a blocking thread, however much comes of it: memory holds the bound and a piece.
private struct InflateJob: Sendable {
    static let piece = 256 << 10

    let inflater: Inflater
    let limit: BodyLimit
    let place: CollectedBody.Place

    /// - Throws: `GatewayError`; then nothing of the body is left.
    func run(_ input: ByteBuffer, into body: CollectedBody) throws -> CollectedBody {
        var body = body
        var input = input
        do {
            while true {
                var output = ByteBuffer()
                let isDone = try self.inflater.inflate(&input, into: &output, atMost: Self.piece)
                guard body.size + output.readableBytes <= self.limit.bytes else {
                    throw GatewayError.bodyTooLarge(self.limit)
                }
                if body.fitsInMemory(output.readableBytes, self.place) {
                    body.keep(output)
                } else {
                    let (file, bytes) = try body.spool(output, self.place)
                    try file.append(bytes)
                }
                if isDone { return body }
            }
        } catch {
            body.release(self.place)
            throw error
        }
    }
}
