/// One 512-byte header of the tar format (POSIX `ustar` with `pax` records), as far as projects use it.
///
/// Written with everything that could differ between machines set to zero.
struct TarHeader: Hashable, Sendable {
    static let blockSize = 512
    /// Longest path that fits the header's own field; longer ones, and those beyond ASCII, go into a `pax` record.
    static let nameLength = 100

    enum Kind: Hashable, Sendable {
        case file
        /// Records that describe the next file.
        case extended
    }

    var kind: Kind
    var path: String
    var size: Int64
    var isExecutable: Bool

    init(kind: Kind, path: String, size: Int64, isExecutable: Bool) {
        self.kind = kind
        self.path = path
        self.size = size
        self.isExecutable = isExecutable
    }

    /// Reads a header; throws ``ProjectError/malformedArchive(_:)`` for what projects do not hold, such as links.
    init(_ block: [UInt8]) throws(ProjectError) {
        guard block.count == Self.blockSize, Array(block[257..<263]) == Array("ustar\0".utf8) else {
            throw .malformedArchive("a header is not of the ustar format")
        }
        guard try Self.number(block[148..<156], "checksum") == Self.checksum(block) else {
            throw .malformedArchive("a header's checksum is wrong")
        }
        let name = try Self.text(block[0..<100])
        let prefix = try Self.text(block[345..<500])
        self.path = prefix.isEmpty ? name : "\(prefix)/\(name)"
        self.size = try Self.number(block[124..<136], "size")
        self.isExecutable = try Self.number(block[100..<108], "mode") & 0o100 != 0
        switch block[156] {
        case UInt8(ascii: "0"), 0: self.kind = .file
        case UInt8(ascii: "x"): self.kind = .extended
        case UInt8(ascii: "1"), UInt8(ascii: "2"): throw .malformedArchive("\(self.path) is a link")
        case UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "6"):
            throw .malformedArchive("\(self.path) is a device or pipe")
        case UInt8(ascii: "5"): throw .malformedArchive("\(self.path) is a folder; projects hold files only")
        case let type: throw .malformedArchive("\(self.path) has the unknown type \(type)")
        }
    }

    /// The header's 512 bytes; `path` must fit ``nameLength``.
    var block: [UInt8] {
        var block = [UInt8](repeating: 0, count: Self.blockSize)
        func put(_ text: some Collection<UInt8>, at offset: Int) {
            block.replaceSubrange(offset..<offset + text.count, with: text)
        }
        put(self.path.utf8.prefix(Self.nameLength), at: 0)
        put(Self.octal(self.isExecutable ? 0o755 : 0o644, digits: 7), at: 100)
        put(Self.octal(0, digits: 7), at: 108)
        put(Self.octal(0, digits: 7), at: 116)
        put(Self.octal(self.size, digits: 11), at: 124)
        put(Self.octal(0, digits: 11), at: 136)
        block[156] = self.kind == .file ? UInt8(ascii: "0") : UInt8(ascii: "x")
        put("ustar\u{0}00".utf8, at: 257)
        put(Self.octal(Self.checksum(block), digits: 6), at: 148)
        block[155] = UInt8(ascii: " ")
        return block
    }

    /// The sum of all bytes, those of the checksum itself counted as spaces.
    private static func checksum(_ block: [UInt8]) -> Int64 {
        let sum = block.reduce(Int64(0)) { $0 + Int64($1) }
        return block[148..<156].reduce(sum) { $0 - Int64($1) + 32 }
    }

    private static func octal(_ value: Int64, digits: Int) -> [UInt8] {
        let text = String(value, radix: 8).utf8
        return Array(repeating: UInt8(ascii: "0"), count: max(0, digits - text.count)) + text
    }

    /// Octal digits, ended by a space, a zero byte or the field; larger numbers have another form, which is refused.
    private static func number(_ field: ArraySlice<UInt8>, _ name: String) throws(ProjectError) -> Int64 {
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
        guard !digits.isEmpty else { return 0 }
        let isOctal = digits.allSatisfy { (0x30...0x37).contains($0) }
        guard isOctal, let value = Int64(String(decoding: digits, as: UTF8.self), radix: 8) else {
            throw .malformedArchive("a header's \(name) is not a number, or too large")
        }
        return value
    }

    private static func text(_ field: ArraySlice<UInt8>) throws(ProjectError) -> String {
        guard let text = String(validating: field.prefix { $0 != 0 }, as: UTF8.self) else {
            throw .malformedArchive("a path is not valid UTF-8")
        }
        return text
    }
}
