/// The `traceparent` header of W3C Trace Context, of which logs want the trace's id.
package enum TraceParent {
    /// The id, 32 hexadecimal digits; nil where the header is not what the standard allows.
    ///
    /// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`; later versions may have more after that.
    package static func traceID(of header: String) -> String? {
        var header = header
        return header.withUTF8 { text in
            guard text.count >= 55, text[2] == dash, text[35] == dash, text[52] == dash else { return nil }
            let version = text[0..<2]
            guard
                version.allSatisfy(Self.isDigit), !version.elementsEqual("ff".utf8),
                text.count == 55 || !version.elementsEqual("00".utf8) && text[55] == dash,
                Self.isID(text[3..<35]), Self.isID(text[36..<52]), text[53..<55].allSatisfy(Self.isDigit)
            else { return nil }
            return String(decoding: text[3..<35], as: UTF8.self)
        }
    }

    private static let dash = UInt8(ascii: "-")

    /// Of all zeros there is none.
    private static func isID(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        text.allSatisfy(Self.isDigit) && text.contains { $0 != UInt8(ascii: "0") }
    }

    /// In lower case only.
    private static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
