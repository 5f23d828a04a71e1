import CortexTelemetry
import CortexWire
package import NIOCore

/// A request as a worker gets it: everything in the form in which it goes over the wire.
///
/// A class, since it goes through many hands and none of them changes it: what it refers to is not counted with each.
package final class PredictRequest: Sendable {
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
    package let id: UInt64
    /// What clients and logs call it.
    package let requestID: String
    /// What of it is there.
    package let arguments: PredictArguments
    package let payload: Payload
    /// JSON: what the predictor named of query and headers; nil where it named neither.
    package let meta: ByteBuffer?
    package let body: Body
    /// When its client's time is up, on the monotonic clock.
    package let deadline: NIODeadline
    /// When the time is up that its API gives to a request, however little of it the client wanted: a worker that is at
    /// work on it a grace later is replaced.
    package let apiDeadline: NIODeadline
    package let hops: UInt16
    /// Whether its sender is to hear that a worker gets it.
    package let tellsStart: Bool

    package init(
        id: UInt64,
        requestID: String,
        arguments: PredictArguments,
        payload: Payload,
        meta: ByteBuffer?,
        body: Body,
        deadline: NIODeadline,
        apiDeadline: NIODeadline,
        hops: UInt16,
        tellsStart: Bool = false
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
        self.tellsStart = tellsStart
    }

    /// Whether it may be handed to a slot that is still at work (design: only what is small may wait there).
    ///
    /// And nothing that an API has sent: what is at work there may be what waits for it.
    var isLight: Bool {
        if case .spooled = self.body { return false }
        return self.hops == 0
    }

    private static let fixedLength = 20

    /// Appends the `request` frame; without its body, that has to follow.
    func write(into buffer: inout ByteBuffer, apiVersion: Int, withBody: Bool = true) {
        let metaLength = self.meta?.readableBytes ?? 0
        let idLength = self.requestID.utf8.count
        // Not `[]`: from another module, that is a generic initialiser, which takes as long as half of the frame.
        var flags = Frame.Flags(rawValue: 0)
        let bodyLength: Int
        switch self.body {
        case .inline(let body): bodyLength = body.readableBytes
        case .pieces(let pieces): bodyLength = pieces.reduce(0) { $0 + $1.readableBytes }
        case .spooled(let path):
            flags = .spooled
            bodyLength = path.utf8.count
        }
        let length = Self.fixedLength + idLength + metaLength + bodyLength
        buffer.write(atMost: Frame.headLength + length - (withBody ? 0 : bodyLength)) { frame in
            frame.writeLittleEndian(UInt32(length))
            frame.writeByte(Frame.Kind.request.rawValue)
            frame.writeByte(flags.rawValue)
            frame.writeLittleEndian(self.payload.rawValue)
            frame.writeLittleEndian(self.id)
            frame.writeLittleEndian(self.deadline.uptimeNanoseconds)
            frame.writeLittleEndian(UInt32(truncatingIfNeeded: apiVersion))
            frame.writeLittleEndian(self.hops)
            frame.writeLittleEndian(UInt16(idLength))
            frame.writeLittleEndian(UInt32(metaLength))
            frame.writeString(self.requestID)
            if let meta = self.meta { frame.writeBuffer(meta) }
            switch self.body {
            case .inline(let body): if withBody { frame.writeBuffer(body) }
            case .pieces(let pieces): if withBody { for piece in pieces { frame.writeBuffer(piece) } }
            case .spooled(let path): frame.writeString(path)
            }
        }
    }
}
