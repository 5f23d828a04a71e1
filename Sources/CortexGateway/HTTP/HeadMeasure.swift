import NIOCore

/// What there is of a head, for the one that is too much: the parser says that it is, and not by which limit.
struct HeadMeasure {
    private var headers = 0
    /// Bytes of the longest name or value.
    private var longest = 0

    /// Measures the lines that end within these bytes.
    ///
    /// What stands before them on the first line was read already.
    mutating func read(_ bytes: ByteBufferView) {
        _ = self.readLines(bytes)
    }

    /// The limit that was passed with these bytes.
    mutating func limit(passedWith bytes: ByteBufferView, _ configuration: GatewayConfiguration) -> HeaderLimit {
        let rest = self.readLines(bytes)
        if !rest.isEmpty { self.take(rest) }
        if self.longest > configuration.maximumHeaderSize { return .size(configuration.maximumHeaderSize) }
        if self.headers > configuration.maximumHeaders { return .count(configuration.maximumHeaders) }
        return .head(configuration.maximumHeadSize)
    }

    /// - Returns: The line that does not end.
    private mutating func readLines(_ bytes: ByteBufferView) -> ByteBufferView {
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            self.take(rest[..<end])
            rest = rest[(end + 1)...]
        }
        return rest
    }

    private mutating func take(_ line: ByteBufferView) {
        let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        guard !line.isEmpty else { return }
        // A request before this one may stand in the same bytes.
        guard !Self.isFirst(line) else {
            self = HeadMeasure()
            return
        }
        let name = line.prefix { $0 != UInt8(ascii: ":") }
        let value = line[name.endIndex...].dropFirst().drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        self.headers += 1
        self.longest = max(self.longest, name.count, value.count)
    }

    /// Whether a line is the first of a request, or the end of such a one.
    private static func isFirst(_ line: ByteBufferView) -> Bool {
        guard line.suffix(8).starts(with: Array("HTTP/1.".utf8)) else { return false }
        return line.first == UInt8(ascii: "/") || !line.prefix { $0 != UInt8(ascii: " ") }.contains(UInt8(ascii: ":"))
    }
}
