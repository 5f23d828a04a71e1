import NIOHTTP1

extension HTTPHeaders {
    /// With the values as they are meant: blanks around one are no part of it (RFC 9110, 5.5).
    ///
    /// The parser of HTTP/1 takes away those before it only.
    var withoutOuterBlanks: HTTPHeaders {
        HTTPHeaders(
            self.map { name, value in
                var value = value[...]
                while Self.isBlank(value.utf8.last) { value.removeLast() }
                while Self.isBlank(value.utf8.first) { value.removeFirst() }
                return (name, String(value))
            }
        )
    }

    private static func isBlank(_ byte: UInt8?) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}
