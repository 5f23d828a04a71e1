package import NIOCore

/// A project's files as one tar archive, made while it is read: a few hundred kilobytes are in memory at any time.
///
/// The bytes depend on the files' paths, contents and executable bits only.
package struct ProjectArchive: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    private let files: [ProjectFile]

    /// Archives `files`, in the order given.
    package init(_ files: [ProjectFile]) {
        self.files = files
    }

    /// The length of the whole archive.
    package var byteCount: Int64 {
        let end = Int64(2 * TarHeader.blockSize)
        return self.files.reduce(end) { sum, file in
            sum + Int64(Self.head(of: file).count) + file.size + Int64(ArchiveDecoder.padding(file.size))
        }
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(files: self.files)
    }

    /// Reads the files one after the other.
    ///
    /// Throws ``ProjectError/changed(path:)`` where one is not as long as it was, and `CancellationError` between pieces.
    package struct Iterator: AsyncIteratorProtocol {
        /// Bytes of a piece; the last may be shorter, and any may be longer by a header.
        private static let pieceSize = 256 << 10

        private let files: [ProjectFile]
        private var next = 0
        private var current: (source: OpenFile, file: ProjectFile, remaining: Int64)?
        private var isEnded = false

        fileprivate init(files: [ProjectFile]) {
            self.files = files
        }

        @concurrent
        package mutating func next() async throws -> ByteBuffer? {
            try Task.checkCancellation()
            guard !self.isEnded else { return nil }
            var piece = ByteBuffer()
            piece.reserveCapacity(Self.pieceSize + 4 * TarHeader.blockSize)
            while piece.readableBytes < Self.pieceSize {
                if let current = self.current {
                    try self.read(current.source, current.file, current.remaining, into: &piece)
                } else if self.next < self.files.count {
                    let file = self.files[self.next]
                    self.next += 1
                    piece.writeBytes(ProjectArchive.head(of: file))
                    self.current = (try OpenFile(reading: file.location), file, file.size)
                } else {
                    piece.writeRepeatingByte(0, count: 2 * TarHeader.blockSize)
                    self.isEnded = true
                    break
                }
            }
            return piece
        }

        private mutating func read(
            _ source: OpenFile,
            _ file: ProjectFile,
            _ remaining: Int64,
            into piece: inout ByteBuffer
        ) throws {
            let wanted = Int(Swift.min(remaining, Int64(Self.pieceSize)))
            try piece.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { room in
                let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: room[..<wanted]))
                guard count == wanted else { throw ProjectError.changed(path: file.path) }
                return count
            }
            let left = remaining - Int64(wanted)
            guard left == 0 else {
                self.current?.remaining = left
                return
            }
            // One byte more than was announced would otherwise be left out in silence.
            let surplus = try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { try source.read(into: $0) }
            guard surplus == 0 else { throw ProjectError.changed(path: file.path) }
            piece.writeRepeatingByte(0, count: ArchiveDecoder.padding(file.size))
            self.current = nil
        }
    }

    /// The header of a file, with the records that go before it.
    private static func head(of file: ProjectFile) -> [UInt8] {
        let path = file.path
        let isShort = path.utf8.count <= TarHeader.nameLength && path.utf8.allSatisfy { $0 < 0x80 }
        guard !isShort else {
            return TarHeader(kind: .file, path: path, size: file.size, isExecutable: file.isExecutable).block
        }
        let record = PaxRecord.encode(path: path)
        let size = Int64(record.count)
        // The name in the header itself is for readers without `pax`; ours takes the record's.
        let short = "pax"
        return TarHeader(kind: .extended, path: short, size: size, isExecutable: false).block + record
            + [UInt8](repeating: 0, count: ArchiveDecoder.padding(size))
            + TarHeader(kind: .file, path: short, size: file.size, isExecutable: file.isExecutable).block
    }
}
