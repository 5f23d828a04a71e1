import Crypto

/// The name of a project's content: equal for equal paths, bytes and executable bits, whatever folder they are in.
///
/// SHA-256 over a line that names the scheme and then, for each file in the order of its path's bytes: the path, a zero
/// byte, `x` or `-`, the SHA-256 of its content. Neither times nor owners nor the order of an archive count.
package struct ProjectHash: Hashable, Sendable, CustomStringConvertible {
    /// 64 hexadecimal digits in lower case.
    package let description: String

    /// Takes a hash in its one spelling; nil for any other text, so that it is safe as a file name.
    package init?(_ text: some StringProtocol) {
        let isHexadecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard isHexadecimal, text.utf8.count == 64 else { return nil }
        self.description = String(text)
    }

    fileprivate init(_ digest: SHA256.Digest) {
        self.description = digest.hexadecimal
    }

    /// Reads all of `files`; throws ``ProjectError/changed(path:)`` where one is not as it was listed.
    @concurrent
    package static func of(_ files: [ProjectFile]) async throws -> ProjectHash {
        var hasher = ProjectHasher()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        for file in files {
            try Task.checkCancellation()
            hasher.begin(ProjectEntry(path: file.path, size: file.size, isExecutable: file.isExecutable))
            let source = try OpenFile(reading: file.location)
            var size: Int64 = 0
            while true {
                let count = try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
                buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                size += Int64(count)
                if count < buffer.count { break }
                await Task.yield()
            }
            guard size == file.size else { throw ProjectError.changed(path: file.path) }
        }
        return hasher.finish()
    }
}

/// Computes a ``ProjectHash`` from files in any order.
struct ProjectHasher {
    private var entries: [(path: String, isExecutable: Bool, digest: SHA256.Digest)] = []
    private var current: (entry: ProjectEntry, hash: SHA256)?

    /// Ends the file before, and begins this one.
    mutating func begin(_ entry: ProjectEntry) {
        self.endFile()
        self.current = (entry, SHA256())
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        self.current?.hash.update(bufferPointer: bytes)
    }

    mutating func take(_ event: ArchiveEvent) {
        switch event {
        case .file(let entry): self.begin(entry)
        case .content(let bytes): self.update(bytes)
        }
    }

    mutating func finish() -> ProjectHash {
        self.endFile()
        var hash = SHA256()
        hash.update(bytes: "cortex project 1\n".utf8)
        for entry in self.entries.sorted(by: { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }) {
            hash.update(bytes: entry.path.utf8)
            hash.update(bytes: entry.isExecutable ? "\0x".utf8 : "\0-".utf8)
            hash.update(bytes: entry.digest)
        }
        return ProjectHash(hash.finalize())
    }

    private mutating func endFile() {
        guard let current = self.current else { return }
        self.entries.append((current.entry.path, current.entry.isExecutable, current.hash.finalize()))
        self.current = nil
    }
}

extension SHA256 {
    fileprivate mutating func update(bytes: some Sequence<UInt8>) {
        self.update(data: Array(bytes))
    }
}

extension SHA256.Digest {
    fileprivate var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: self.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
