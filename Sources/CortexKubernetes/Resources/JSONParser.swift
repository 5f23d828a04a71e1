import CortexSpec

/// Reads JSON into a ``JSONValue``.
///
/// Foundation's decoder asks each value whether it is a Boolean, a number, … and makes an error with its whole path for each
/// no: of an operator that reads a thousand objects, nine tenths of all work was that.
struct JSONParser {
    /// What no API server sends: a text that is nested deeper would exhaust the stack.
    private static let deepest = 512

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Throws ``JSONSyntaxError`` where it is none, or where something stands behind it.
    static func value(of bytes: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
        var text = Self(bytes)
        let value = try text.value()
        text.skipBlanks()
        guard text.position == bytes.count else { throw text.error }
        return value
    }

    private var error: JSONSyntaxError { JSONSyntaxError(offset: self.position) }
    private var next: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    private mutating func skipBlanks() {
        while let byte = self.next, byte == 0x20 || (0x09...0x0D).contains(byte) && byte != 0x0B && byte != 0x0C {
            self.position += 1
        }
    }

    /// Whether this byte was next, and is passed.
    private mutating func take(_ byte: UInt8) -> Bool {
        guard self.next == byte else { return false }
        self.position += 1
        return true
    }

    private mutating func value() throws(JSONSyntaxError) -> JSONValue {
        self.skipBlanks()
        switch self.next {
        case UInt8(ascii: "{"): return try self.nested { text throws(JSONSyntaxError) in try text.object() }
        case UInt8(ascii: "["): return try self.nested { text throws(JSONSyntaxError) in try text.array() }
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .bool(true))
        case UInt8(ascii: "f"): return try self.word("false", .bool(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        default: return try self.number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let end = self.position + word.utf8CodeUnitCount
        let matches =
            end <= self.bytes.count
            && word.withUTF8Buffer { self.bytes[self.position..<end].elementsEqual($0) }
        guard matches else { throw self.error }
        self.position = end
        return value
    }

    // MARK: Objects and arrays

    private mutating func nested(
        _ read: (inout Self) throws(JSONSyntaxError) -> JSONValue
    ) throws(JSONSyntaxError) -> JSONValue {
        guard self.depth < Self.deepest else { throw self.error }
        self.depth += 1
        self.position += 1
        let value = try read(&self)
        self.depth -= 1
        return value
    }

    private mutating func object() throws(JSONSyntaxError) -> JSONValue {
        var members: [String: JSONValue] = [:]
        self.skipBlanks()
        if self.take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            self.skipBlanks()
            guard self.next == UInt8(ascii: "\"") else { throw self.error }
            let key = try self.string()
            self.skipBlanks()
            guard self.take(UInt8(ascii: ":")) else { throw self.error }
            members[key] = try self.value()
            self.skipBlanks()
        } while self.take(UInt8(ascii: ","))
        guard self.take(UInt8(ascii: "}")) else { throw self.error }
        return .object(members)
    }

    private mutating func array() throws(JSONSyntaxError) -> JSONValue {
        var elements: [JSONValue] = []
        self.skipBlanks()
        if self.take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            elements.append(try self.value())
            self.skipBlanks()
        } while self.take(UInt8(ascii: ","))
        guard self.take(UInt8(ascii: "]")) else { throw self.error }
        return .array(elements)
    }

    // MARK: Texts

    private mutating func string() throws(JSONSyntaxError) -> String {
        self.position += 1
        var text = ""
        var start = self.position
        while let byte = self.next {
            switch byte {
            case UInt8(ascii: "\""):
                let rest = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
                self.position += 1
                return text.isEmpty ? rest : text + rest
            case UInt8(ascii: "\\"):
                text += String(decoding: self.bytes[start..<self.position], as: UTF8.self)
                self.position += 1
                text.unicodeScalars.append(try self.escaped())
                start = self.position
            case 0..<0x20: throw self.error
            default: self.position += 1
            }
        }
        throw self.error
    }

    private mutating func escaped() throws(JSONSyntaxError) -> Unicode.Scalar {
        guard let byte = self.next else { throw self.error }
        self.position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try self.escapedScalar()
        default: throw self.error
        }
    }

    /// What stands behind `\u`, with the second half of a pair.
    private mutating func escapedScalar() throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try self.fourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, self.take(UInt8(ascii: "\\")), self.take(UInt8(ascii: "u")) else { throw self.error }
        let second = try self.fourDigits()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw self.error }
        return scalar
    }

    private mutating func fourDigits() throws(JSONSyntaxError) -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = self.next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw self.error
            }
            number = number << 4 | UInt32(digit)
            self.position += 1
        }
        return number
    }

    // MARK: Numbers

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = self.position
        _ = self.take(UInt8(ascii: "-"))
        if !self.take(UInt8(ascii: "0")) { try self.digits() }
        var isWhole = true
        if self.take(UInt8(ascii: ".")) {
            isWhole = false
            try self.digits()
        }
        if self.take(UInt8(ascii: "e")) || self.take(UInt8(ascii: "E")) {
            isWhole = false
            if !self.take(UInt8(ascii: "+")) { _ = self.take(UInt8(ascii: "-")) }
            try self.digits()
        }
        let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        if isWhole, let value = Int64(text) { return .int(value) }
        guard let value = Double(text), value.isFinite else { throw self.error }
        // On its way through a server `1.0` and `1` are the same.
        return Int64(exactly: value).map { .int($0) } ?? .double(value)
    }

    /// One at least.
    private mutating func digits() throws(JSONSyntaxError) {
        let start = self.position
        while let byte = self.next, (0x30...0x39).contains(byte) { self.position += 1 }
        guard self.position > start else { throw self.error }
    }
}

/// A text is no JSON.
struct JSONSyntaxError: Error, Hashable, CustomStringConvertible {
    /// Of the byte that does not fit.
    var offset: Int

    var description: String { "not JSON: byte \(self.offset) does not fit" }
}
