import NIOCore

/// Gathers the body of one request: in memory up to a bound, on disk beyond it.
struct BodyCollector {
    enum Step {
        case more
        /// Nothing more may be read until these bytes are on disk.
        case writing(EventLoopFuture<Void>)
    }

    private let inlineLimit: Int
    private let limit: Int
    private let directory: String
    private let budget: SpoolBudget
    private var memory: ByteBuffer?
    private(set) var size = 0
    private(set) var file: SpoolFile?
    private var taken = 0

    init(_ configuration: GatewayConfiguration, budget: SpoolBudget) {
        self.inlineLimit = configuration.inlineLimit
        self.limit = configuration.maximumBodySize
        self.directory = configuration.spoolDirectory
        self.budget = budget
    }

    mutating func append(_ bytes: ByteBuffer, on eventLoop: any EventLoop) throws(GatewayError) -> Step {
        self.size += bytes.readableBytes
        guard self.size <= self.limit else { throw .bodyTooLarge(limit: self.limit) }
        if self.file == nil, self.size <= self.inlineLimit {
            self.memory.appendOrSet(bytes)
            return .more
        }
        return .writing(try self.spool(bytes, on: eventLoop))
    }

    private mutating func spool(
        _ bytes: ByteBuffer,
        on eventLoop: any EventLoop
    ) throws(GatewayError)
        -> EventLoopFuture<Void>
    {
        var bytes = bytes
        if var memory = self.memory.take() {
            memory.writeBuffer(&bytes)
            bytes = memory
        }
        guard self.budget.take(bytes.readableBytes) else { throw .spoolFull }
        self.taken += bytes.readableBytes
        if let file = self.file { return file.append(bytes, on: eventLoop) }
        guard let file = try? SpoolFile(directory: self.directory) else { throw .spoolBroken }
        self.file = file
        return file.append(bytes, on: eventLoop)
    }

    var body: UpstreamBody {
        if let file = self.file { return .spooled(path: file.path, size: self.size) }
        return .bytes(self.memory ?? ByteBuffer())
    }

    /// Lets go of disk and memory; the request has been answered, or never will be.
    mutating func release() {
        self.memory = nil
        self.file?.remove()
        self.file = nil
        self.budget.give(self.taken)
        self.taken = 0
    }
}

extension ByteBuffer? {
    /// The first piece is kept as it is: a body that comes in one piece is never copied.
    fileprivate mutating func appendOrSet(_ bytes: ByteBuffer) {
        if self == nil {
            self = bytes
        } else {
            self?.writeImmutableBuffer(bytes)
        }
    }
}
