import NIOCore

/// What there is of a body: in memory up to a bound, on disk beyond it.
///
/// A value with disk space in it: whoever holds the last one says `release`.
struct CollectedBody: Sendable {
    /// What all bodies of a server have in common.
    final class Place: Sendable {
        let inlineLimit: Int
        let directory: String
        let budget: ByteBudget

        init(_ configuration: GatewayConfiguration, budget: ByteBudget) {
            self.inlineLimit = configuration.inlineLimit
            self.directory = configuration.spoolDirectory
            self.budget = budget
        }
    }

    private(set) var size = 0
    private(set) var file: SpoolFile?
    private var memory: ByteBuffer?
    /// What follows `memory`, in large pieces.
    private var rest: [ByteBuffer]?
    private var taken = 0

    var body: UpstreamBody {
        if let file = self.file { return .spooled(path: file.path, size: self.size) }
        let memory = self.memory ?? ByteBuffer()
        return self.rest.map { .pieces([memory] + $0) } ?? .bytes(memory)
    }

    func fitsInMemory(_ more: Int, _ place: Place) -> Bool {
        self.file == nil && self.size + more <= place.inlineLimit
    }

    /// The first piece and large ones are kept as they are; small ones are gathered, since each holds the memory that it was
    /// read into.
    ///
    /// - Parameter expected: Bytes of the whole body, as far as is known.
    mutating func keep(_ bytes: ByteBuffer, expecting expected: Int = 0) {
        self.size += bytes.readableBytes
        if self.memory == nil {
            self.memory = bytes
        } else if bytes.readableBytes >= max(Self.largePiece, bytes.storageCapacity / 2) {
            if self.rest?.append(bytes) == nil { self.rest = [bytes] }
        } else if let last = self.rest?.indices.last {
            self.rest?[last].gather(bytes, expecting: expected - self.size)
        } else {
            self.memory?.gather(bytes, expecting: expected - self.size)
        }
    }

    /// In bytes; for what is smaller, a place in a list of pieces costs more than to copy it.
    private static let largePiece = 16 << 10

    /// Takes the disk space for more bytes.
    ///
    /// - Returns: The file, and what is to be appended to it: with those bytes, what was held in memory until now.
    mutating func spool(_ bytes: ByteBuffer, _ place: Place) throws(GatewayError) -> (SpoolFile, ByteBuffer) {
        var bytes = bytes
        self.size += bytes.readableBytes
        if var memory = self.memory.take() {
            for piece in self.rest.take() ?? [] { memory.writeImmutableBuffer(piece) }
            memory.writeBuffer(&bytes)
            bytes = memory
        }
        guard place.budget.take(bytes.readableBytes) else { throw .spoolFull }
        self.taken += bytes.readableBytes
        if let file = self.file { return (file, bytes) }
        guard let file = try? SpoolFile(directory: place.directory) else { throw .spoolBroken }
        self.file = file
        return (file, bytes)
    }

    /// Lets go of disk and memory; the request has been answered, or never will be.
    mutating func release(_ place: Place) {
        self.memory = nil
        self.rest = nil
        self.file?.remove()
        self.file = nil
        place.budget.give(self.taken)
        self.taken = 0
    }
}

extension ByteBuffer {
    /// - Parameter expected: Bytes that are still to come after these.
    fileprivate mutating func gather(_ bytes: ByteBuffer, expecting expected: Int) {
        self.reserveCapacity(minimumWritableBytes: bytes.readableBytes + max(expected, 0))
        self.writeImmutableBuffer(bytes)
    }
}
