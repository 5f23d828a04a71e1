internal import CFileStatus

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Copies one file of a model source, and makes sure that the copy is what was listed.
struct FileCopy {
    let object: StoredObject
    /// The source's folder, resolved.
    let root: String
    let target: String

    /// Bytes that are copied at once.
    ///
    /// Most kernels of servers take no processor from a thread in the middle of a call: a woken thread that was last there
    /// waits for the call's end. Reading or writing 4 MiB takes up to 6 ms, which is what the slowest requests of
    /// other models then took longer.
    static let piece = 128 << 10

    /// Blocks until all is copied.
    ///
    /// - Parameter progress: Gets the bytes of this file that have been copied.
    func run(
        _ cancellation: TransferThread.Cancellation,
        progress: (Int64) -> Void
    ) throws(StorageError) {
        let shown = LocalPath.join(self.root, self.object.path)
        guard let location = LocalPath.resolve(shown) else { throw self.readingError(shown) }
        guard LocalPath.isInside(location, self.root) else {
            throw .unsupported("the link \(shown.escaped) leads out of the folder, to \(location.escaped)")
        }
        // Without blocking, so that a pipe that took the file's place does not hold the thread.
        guard let source = Descriptor(open(location, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) else {
            throw self.readingError(shown)
        }
        try self.compare(source, shown)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        guard let copy = Descriptor(open(self.target, flags, 0o644)) else { throw .system("create", self.target) }
        #if canImport(Glibc)
        if self.clone(source, copy) {
            progress(self.object.size)
            return try self.compare(source, shown)
        }
        #endif
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.piece, alignment: 4096)
        defer { buffer.deallocate() }
        var copied: Int64 = 0
        while copied < self.object.size {
            guard !cancellation.isCancelled else { throw .cancelled }
            // A file that grows is not read past the size that it was listed with.
            let part = UnsafeMutableRawBufferPointer(
                rebasing: buffer.prefix(Int(min(Int64(Self.piece), self.object.size - copied)))
            )
            let count = try self.transfer(source, copy, through: part, shown)
            guard count > 0 else {
                throw .truncated("\(shown.escaped) ended after \(copied) of \(self.object.size) bytes")
            }
            copied += Int64(count)
            progress(copied)
            TransferThread.yield()
        }
        try self.compare(source, shown)
    }

    /// Makes the folders that a path goes through.
    static func makeFolders(of path: String, in folder: String) throws(StorageError) {
        var location = folder
        for name in path.split(separator: "/").dropLast() {
            location += "/\(name)"
            guard mkdir(location, 0o755) == 0 || errno == EEXIST else { throw .system("create", location) }
        }
    }

    /// Throws unless the open file is the one that was listed.
    private func compare(_ source: borrowing Descriptor, _ shown: String) throws(StorageError) {
        var status = FileStatus()
        guard cortex_fstat(source.number, &status) == 0 else { throw .system("read", shown) }
        guard
            status.kind == S_IFREG, status.size == self.object.size, status.modified == self.object.modified,
            self.object.tag == nil || self.object.tag == status.tag
        else { throw .changed("\(shown.escaped) was changed while it was copied") }
    }

    private func readingError(_ shown: String) -> StorageError {
        errno == ENOENT || errno == ELOOP
            ? .changed("\(shown.escaped) was removed before it was copied") : .system("read", shown)
    }

    #if canImport(Glibc)
    /// Makes the copy share the blocks of the source, on file systems that can (btrfs, XFS); at once, whatever the size.
    ///
    /// - Returns: Whether the copy is complete.
    private func clone(_ source: borrowing Descriptor, _ copy: borrowing Descriptor) -> Bool {
        // FICLONE of linux/fs.h; not in the C library's headers.
        ioctl(copy.number, 0x4004_9409, source.number) == 0
    }
    #endif

    /// Copies up to as much as `buffer` holds from where both files stand; 0 at the end of the source.
    private func transfer(
        _ source: borrowing Descriptor,
        _ copy: borrowing Descriptor,
        through buffer: UnsafeMutableRawBufferPointer,
        _ shown: String
    ) throws(StorageError) -> Int {
        var filled = read(source.number, buffer.baseAddress, buffer.count)
        while filled < 0, errno == EINTR { filled = read(source.number, buffer.baseAddress, buffer.count) }
        guard filled >= 0 else { throw .system("read", shown) }
        var written = 0
        while written < filled {
            let result = write(copy.number, buffer.baseAddress?.advanced(by: written), filled - written)
            guard result >= 0 || errno == EINTR else { throw .system("write", self.target) }
            written += max(result, 0)
        }
        return filled
    }

    /// An open file, closed when it goes out of scope.
    private struct Descriptor: ~Copyable {
        let number: Int32

        /// Fails where `number` is what a failed call returns.
        init?(_ number: Int32) {
            guard number >= 0 else { return nil }
            self.number = number
        }

        deinit {
            _ = close(self.number)
        }
    }
}
