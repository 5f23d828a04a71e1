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
    private var taken = 0

    var body: UpstreamBody {
        if let file = self.file { return .spooled(path: file.path, size: self.size) }
        return .bytes(self.memory ?? ByteBuffer())
    }

    func fitsInMemory(_ more: Int, _ place: Place) -> Bool {
        self.file == nil && self.size + more <= place.inlineLimit
    }

    /// - Parameter expected: Bytes of the whole body, as far as is known: they are gathered in one piece of memory.
    mutating func keep(_ bytes: ByteBuffer, expecting expected: Int = 0) {
        self.size += bytes.readableBytes
        self.memory.appendOrSet(bytes, expecting: expected)
    }

    /// Takes the disk space for more bytes.
    ///
    /// - Returns: The file, and what is to be appended to it: with those bytes, what was held in memory until now.
    mutating func spool(_ bytes: ByteBuffer, _ place: Place) throws(GatewayError) -> (SpoolFile, ByteBuffer) {
        var bytes = bytes
        self.size += bytes.readableBytes
        if var memory = self.memory.take() {
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
        self.file?.remove()
        self.file = nil
        place.budget.give(self.taken)
        self.taken = 0
    }
}

extension ByteBuffer? {
    /// The first piece is kept as it is: a body that comes in one piece is never copied.
    fileprivate mutating func appendOrSet(_ bytes: ByteBuffer, expecting expected: Int) {
        if self == nil {
            self = bytes
        } else {
            self?.reserveCapacity(expected)
            self?.writeImmutableBuffer(bytes)
        }
    }
}
