package import NIOCore

/// The archive of a stored project, piece by piece; to be read once.
package struct StoredArchive: AsyncSequence, Sendable {
    /// Bytes.
    package let size: Int
    private let file: OpenFile

    private static let piece = 1 << 18

    init(_ file: OpenFile, size: Int) {
        self.file = file
        self.size = size
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let file: OpenFile

        package mutating func next() async throws -> ByteBuffer? {
            // Lets other work of this thread in between two disk accesses.
            await Task.yield()
            var buffer = ByteBuffer()
            let file = self.file
            let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: StoredArchive.piece) {
                try file.read(into: $0)
            }
            return count > 0 ? buffer : nil
        }
    }

    package func makeAsyncIterator() -> Iterator { Iterator(file: self.file) }
}

extension ProjectStore {
    /// The archive of a project; nil where it is not stored.
    package func archive(of hash: ProjectHash) async throws -> StoredArchive? {
        guard try await self.bring(hash) else { return nil }
        let file = try OpenFile(reading: self.path(of: hash))
        return StoredArchive(file, size: try file.size())
    }
}
