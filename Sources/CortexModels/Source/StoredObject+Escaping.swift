internal import Crypto

extension StoredObject {
    /// More flawed objects than this in one source are an error of its listing.
    package static let mostFlaws = 1000

    /// A name that no file may have, written such that one may: no two names are written alike.
    ///
    /// Bytes that are not UTF-8 become `\xff`, control characters `\u{9}`.
    static func escaping(_ name: some Collection<UInt8>) -> String {
        var text = ""
        var parser = Unicode.UTF8.ForwardParser()
        var bytes = name.makeIterator()
        var rest = name[...]
        while true {
            switch parser.parseScalar(from: &bytes) {
            case .valid(let encoded):
                rest = rest.dropFirst(encoded.count)
                text += Self.escaping(Unicode.UTF8.decode(encoded))
            case .error(let length):
                for byte in rest.prefix(length) { text += "\\x" + String(byte, radix: 16) }
                rest = rest.dropFirst(length)
            case .emptyInput:
                return text.utf8.count > 255 ? Self.shortened(text) : text
            }
        }
    }

    private static func escaping(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\\": "\\\\"
        case _ where scalar.properties.generalCategory == .control: "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }

    private static func shortened(_ text: String) -> String {
        var start = ""
        for character in text.unicodeScalars.prefix(200) where start.utf8.count < 200 {
            start.unicodeScalars.append(character)
        }
        return "\(start)…\(SHA256.hash(data: Array(text.utf8)).hexadecimal.prefix(16))"
    }
}
