package import CortexSpec
package import NIOCore

extension ByteBuffer {
    /// Writes `text` as a JSON string, quotes included.
    ///
    /// Control characters (those beyond ASCII too, which terminals act on), quotes and backslashes are escaped, all else is
    /// UTF-8 as it is: a client's text can end neither the string nor the line it stands in.
    package mutating func writeJSON(_ text: some StringProtocol) {
        self.writeInteger(UInt8(ascii: "\""))
        var copy = String(text)
        copy.withUTF8 { utf8 in
            var written = 0
            var index = 0
            while index < utf8.count {
                let byte = utf8[index]
                if byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == 0x7F {
                    self.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[written..<index]))
                    self.writeEscaped(byte)
                    written = index + 1
                } else if byte == 0xC2, utf8[index + 1] < 0xA0 {  // U+0080 to U+009F; a string's UTF-8 is whole
                    self.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[written..<index]))
                    index += 1
                    self.writeEscaped(utf8[index])
                    written = index + 1
                }
                index += 1
            }
            self.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[written...]))
        }
        self.writeInteger(UInt8(ascii: "\""))
    }

    private mutating func writeEscaped(_ byte: UInt8) {
        switch byte {
        case 0x0A: self.writeStaticString("\\n")
        case 0x0D: self.writeStaticString("\\r")
        case 0x09: self.writeStaticString("\\t")
        case 0x22: self.writeStaticString("\\\"")
        case 0x5C: self.writeStaticString("\\\\")
        default:
            let digits = Array("0123456789abcdef".utf8)
            self.writeStaticString("\\u00")
            self.writeInteger(digits[Int(byte >> 4)])
            self.writeInteger(digits[Int(byte & 0x0F)])
        }
    }

    /// Writes any value as JSON, numbers as Python reads them back (`1.0` is no integer).
    package mutating func writeJSON(_ value: JSONValue) {
        switch value {
        case .null: self.writeStaticString("null")
        case .bool(let value): self.writeStaticString(value ? "true" : "false")
        case .int, .double: self.writeString(value.text)
        case .string(let text): self.writeJSON(text)
        case .array(let elements):
            self.writeStaticString("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { self.writeStaticString(",") }
                self.writeJSON(element)
            }
            self.writeStaticString("]")
        case .object(let members):
            self.writeStaticString("{")
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { self.writeStaticString(",") }
                self.writeJSON(member.key)
                self.writeStaticString(":")
                self.writeJSON(member.value)
            }
            self.writeStaticString("}")
        }
    }

    /// Writes a whole number in decimal digits.
    package mutating func writeDecimal(_ number: some FixedWidthInteger) {
        if number >= 0, number < 10 {
            self.writeInteger(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number))
        } else {
            self.writeString(String(number))
        }
    }

    /// Writes a duration in milliseconds with three decimals (`12.345`).
    package mutating func writeMilliseconds(_ duration: TimeAmount) {
        let microseconds = max(duration.nanoseconds, 0) / 1000
        self.writeDecimal(microseconds / 1000)
        self.writeInteger(UInt8(ascii: "."))
        let rest = microseconds % 1000
        self.writeInteger(UInt8(ascii: "0") + UInt8(rest / 100))
        self.writeInteger(UInt8(ascii: "0") + UInt8(rest / 10 % 10))
        self.writeInteger(UInt8(ascii: "0") + UInt8(rest % 10))
    }
}
