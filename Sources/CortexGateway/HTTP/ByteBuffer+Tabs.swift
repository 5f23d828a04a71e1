import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Tabs at the ends of a head's lines, which are blanks like any (RFC 9110, 5.6.3): behind a Content-Length, the parser knows
/// spaces only.
extension ByteBuffer {
    /// Asked of the head of each request: one search by the C library where there is no tab at all.
    var hasTabInHead: Bool {
        self.withUnsafeReadableBytes { bytes in
            guard let start = bytes.baseAddress, let tab = memchr(start, 0x09, bytes.count) else { return false }
            // A blank line before it, and it belongs to a body.
            var line = UnsafeRawPointer(start)
            let first = UnsafeRawPointer(tab)
            while let end = memchr(line, 0x0A, first - line) {
                line = UnsafeRawPointer(end) + 1
                if line < first, line.load(as: UInt8.self) == 0x0D || line.load(as: UInt8.self) == 0x0A { return false }
            }
            return true
        }
    }

    /// Makes them spaces.
    /// - Returns: False where what comes next tells whether a tab ends its line.
    mutating func spaceOutTabs() -> Bool {
        let bytes = self.readableBytesView
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = rest[..<end].last == UInt8(ascii: "\r") ? rest[..<end].dropLast() : rest[..<end]
            // What follows the head is its body.
            if line.isEmpty { return true }
            for index in line.indices.reversed() {
                if bytes[index] == UInt8(ascii: "\t") {
                    self.setInteger(UInt8(ascii: " "), at: index)
                } else if bytes[index] != UInt8(ascii: " ") {
                    break
                }
            }
            rest = rest[(end + 1)...]
        }
        // Bounded, since what is not given to the parser is not counted by it.
        return rest.last != UInt8(ascii: "\t") || self.readableBytes > 1024
    }
}
