package import NIOCore

/// Writes pieces of text into memory that was reserved once.
///
/// `ByteBuffer` looks at its capacity and its owners with every piece, which costs a line of forty pieces more than its
/// bytes do. Whoever writes here knows beforehand how much it can be; beyond that it traps.
package struct ByteWriter: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer
    fileprivate private(set) var count = 0

    fileprivate init(_ memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
    }

    package mutating func writeByte(_ byte: UInt8) {
        self.memory[self.count] = byte
        self.count += 1
    }

    package mutating func writeStaticString(_ text: StaticString) {
        text.withUTF8Buffer { self.writeBytes(UnsafeRawBufferPointer($0)) }
    }

    package mutating func writeString(_ text: String) {
        var text = text
        text.withUTF8 { self.writeBytes(UnsafeRawBufferPointer($0)) }
    }

    package mutating func writeBuffer(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { self.writeBytes($0) }
    }

    // Not one generic method: called from other modules, that would not be made for the type at hand.

    package mutating func writeLittleEndian(_ number: UInt16) {
        self.memory.storeBytes(of: number.littleEndian, toByteOffset: self.count, as: UInt16.self)
        self.count += 2
    }

    package mutating func writeLittleEndian(_ number: UInt32) {
        self.memory.storeBytes(of: number.littleEndian, toByteOffset: self.count, as: UInt32.self)
        self.count += 4
    }

    package mutating func writeLittleEndian(_ number: UInt64) {
        self.memory.storeBytes(of: number.littleEndian, toByteOffset: self.count, as: UInt64.self)
        self.count += 8
    }

    private mutating func writeBytes(_ bytes: UnsafeRawBufferPointer) {
        let end = self.count + bytes.count
        UnsafeMutableRawBufferPointer(rebasing: self.memory[self.count..<end]).copyMemory(from: bytes)
        self.count = end
    }

    /// The most bytes that `writeJSON` makes of a text.
    package static func mostJSON(of text: String) -> Int { 6 * text.utf8.count + 2 }

    /// Writes `text` as a JSON string, quotes included.
    ///
    /// Control characters (those beyond ASCII too, which terminals act on), quotes and backslashes are escaped, all else
    /// is UTF-8 as it is: a client's text can end neither the string nor the line it stands in.
    package mutating func writeJSON(_ text: String) {
        self.writeByte(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            // Without an early end, so that many bytes are looked at at once.
            if utf8.reduce(true, { $0 && Self.isPlain($1) }) {
                self.writeBytes(UnsafeRawBufferPointer(utf8))
            } else {
                self.writeEscaping(utf8)
            }
        }
        self.writeByte(UInt8(ascii: "\""))
    }

    /// Whether a byte stands for itself, whatever comes after it.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x22 && byte != 0x5C && byte != 0x7F && byte != 0xC2
    }

    private mutating func writeEscaping(_ utf8: UnsafeBufferPointer<UInt8>) {
        var index = 0
        while index < utf8.count {
            let byte = utf8[index]
            index += 1
            if byte == 0xC2, utf8[index] < 0xA0 {  // U+0080 to U+009F; a string's UTF-8 is whole
                self.writeEscaped(utf8[index])
                index += 1
            } else if byte == 0xC2 || Self.isPlain(byte) {
                self.writeByte(byte)
            } else {
                self.writeEscaped(byte)
            }
        }
    }

    private mutating func writeEscaped(_ byte: UInt8) {
        switch byte {
        case 0x0A: self.writeStaticString("\\n")
        case 0x0D: self.writeStaticString("\\r")
        case 0x09: self.writeStaticString("\\t")
        case 0x22: self.writeStaticString("\\\"")
        case 0x5C: self.writeStaticString("\\\\")
        default:
            self.writeStaticString("\\u00")
            self.writeByte(Self.hexDigit(byte >> 4))
            self.writeByte(Self.hexDigit(byte & 0x0F))
        }
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }

    /// Writes a whole number in decimal digits, at most 20 bytes.
    package mutating func writeDecimal(_ number: Int) {
        if number < 0 { self.writeByte(UInt8(ascii: "-")) }
        self.writeDigits(UInt64(number.magnitude))
    }

    private mutating func writeDigits(_ number: UInt64) {
        var places = 1
        var rest = number / 10
        while rest > 0 {
            places += 1
            rest /= 10
        }
        rest = number
        for place in (self.count..<self.count + places).reversed() {
            self.memory[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        self.count += places
    }

    /// Writes a duration in milliseconds with three decimals (`12.345`), at most 24 bytes.
    package mutating func writeMilliseconds(_ duration: TimeAmount) {
        let microseconds = UInt64(max(duration.nanoseconds, 0)) / 1000
        self.writeDigits(microseconds / 1000)
        let zero = UInt8(ascii: "0")
        let decimals = Int(microseconds % 1000)
        self.writeByte(UInt8(ascii: "."))
        self.writeByte(zero + UInt8(truncatingIfNeeded: decimals / 100))
        self.writeByte(zero + UInt8(truncatingIfNeeded: decimals / 10 % 10))
        self.writeByte(zero + UInt8(truncatingIfNeeded: decimals % 10))
    }
}

extension ByteBuffer {
    /// Appends what `body` writes.
    ///
    /// - Parameter most: Bytes that are reserved for it.
    package mutating func write(atMost most: Int, _ body: (inout ByteWriter) -> Void) {
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: most) { memory in
            var writer = ByteWriter(memory)
            body(&writer)
            return writer.count
        }
    }
}
