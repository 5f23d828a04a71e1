/// What an archive holds, in order; `content` comes any number of times after its `file`.
package enum ArchiveEvent {
    case file(ProjectEntry)
    /// Valid during the call only.
    case content(UnsafeRawBufferPointer)
}

/// Reads a project's archive from pieces of any size; does no input or output itself.
///
/// Whatever it reports may be written below a fresh folder: paths are relative, plain and unique, no file is also another's
/// folder, and nothing exceeds the limits. It throws ``ProjectError`` at the first byte that breaks this.
package struct ArchiveDecoder {
    private let limits: ProjectLimits
    private var state = State.header
    /// Bytes of a header or of records that have not all come yet.
    private var collected: [UInt8] = []
    private var recordedPath: String?
    private var paths = PathSet()
    private var totalBytes: Int64 = 0
    private var fileCount = 0

    private enum State {
        /// Next: `records`, `content`, `padding`, `header` (an empty file), `closing`.
        case header
        /// The body of a `pax` header of `size` bytes, with its padding. Next: `header`.
        case records(size: Int)
        /// A file's bytes. Next: `padding`, `header`.
        case content(remaining: Int64, padding: Int)
        /// Next: `header`.
        case padding(Int)
        /// One of the two zero blocks at the end has come. Next: `ended`.
        case closing
        /// Only zeros may follow.
        case ended
    }

    package init(limits: ProjectLimits = .standard) {
        self.limits = limits
    }

    /// Reads the next piece, and hands what it completes to `sink`.
    package mutating func decode(
        _ bytes: UnsafeRawBufferPointer,
        into sink: (ArchiveEvent) throws -> Void
    ) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch self.state {
            case .header:
                guard let block = self.collect(TarHeader.blockSize, from: &rest) else { return }
                try self.readHeader(block, into: sink)
            case .records(let size):
                guard let body = self.collect(size + Self.padding(Int64(size)), from: &rest) else { return }
                self.recordedPath = try PaxRecord.path(in: body[..<size])
                self.state = .header
            case .content(let remaining, let padding):
                let piece = rest.prefix(Int(min(remaining, Int64(rest.count))))
                rest = rest.dropFirst(piece.count)
                let left = remaining - Int64(piece.count)
                self.state = left > 0 ? .content(remaining: left, padding: padding) : .padding(padding)
                try sink(.content(UnsafeRawBufferPointer(rebasing: piece)))
            case .padding(let count):
                let skipped = min(count, rest.count)
                rest = rest.dropFirst(skipped)
                self.state = skipped < count ? .padding(count - skipped) : .header
            case .closing:
                guard let block = self.collect(TarHeader.blockSize, from: &rest) else { return }
                guard block.allSatisfy({ $0 == 0 }) else {
                    throw ProjectError.malformedArchive("only one zero block ends it")
                }
                self.state = .ended
            case .ended:
                guard rest.allSatisfy({ $0 == 0 }) else {
                    throw ProjectError.malformedArchive("something follows its end")
                }
                return
            }
        }
    }

    /// Throws where the archive is not complete.
    package func finish() throws(ProjectError) {
        guard case .ended = self.state else { throw .malformedArchive("it is cut short") }
    }

    private mutating func readHeader(_ block: [UInt8], into sink: (ArchiveEvent) throws -> Void) throws {
        if block.allSatisfy({ $0 == 0 }) {
            guard self.recordedPath == nil else { throw ProjectError.malformedArchive("a pax record has no file") }
            self.state = .closing
            return
        }
        let header = try TarHeader(block)
        switch header.kind {
        case .extended:
            guard self.recordedPath == nil, (1...PaxRecord.maximumSize).contains(header.size) else {
                throw ProjectError.malformedArchive("its pax records are too large, or not for a file")
            }
            self.state = .records(size: Int(header.size))
        case .file:
            let path = self.recordedPath ?? header.path
            self.recordedPath = nil
            try self.paths.insert(path)
            try self.admit(size: header.size, path: path)
            let padding = Self.padding(header.size)
            self.state = header.size > 0 ? .content(remaining: header.size, padding: padding) : .header
            try sink(.file(ProjectEntry(path: path, size: header.size, isExecutable: header.isExecutable)))
        }
    }

    private mutating func admit(size: Int64, path: String) throws(ProjectError) {
        guard size <= self.limits.fileBytes else {
            throw .fileTooLarge(path: path, size: size, limit: self.limits.fileBytes)
        }
        self.totalBytes += size
        guard self.totalBytes <= self.limits.totalBytes else {
            throw .projectTooLarge(path: path, limit: self.limits.totalBytes)
        }
        self.fileCount += 1
        guard self.fileCount <= self.limits.files else { throw .tooManyFiles(limit: self.limits.files) }
    }

    /// Moves bytes from `rest` until `count` are there; nil until then.
    private mutating func collect(
        _ count: Int,
        from rest: inout Slice<UnsafeRawBufferPointer>
    ) -> [UInt8]? {
        let piece = rest.prefix(count - self.collected.count)
        self.collected.append(contentsOf: piece)
        rest = rest.dropFirst(piece.count)
        guard self.collected.count == count else { return nil }
        defer { self.collected.removeAll(keepingCapacity: true) }
        return self.collected
    }

    /// The zeros that fill the last block of `size` bytes.
    static func padding(_ size: Int64) -> Int {
        let over = Int(size % Int64(TarHeader.blockSize))
        return over == 0 ? 0 : TarHeader.blockSize - over
    }
}
