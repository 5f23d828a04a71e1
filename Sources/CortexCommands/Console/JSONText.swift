/// Lays JSON text out anew without reading its values: numbers and escapes stay as they were written.
enum JSONText {
    /// One value per line, two spaces per level; the text must be valid JSON.
    static func indented(_ text: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var level = 0
        var isInString = false
        var isEscaped = false
        /// The opening bracket that nothing has followed yet.
        var isEmptySoFar = false
        func breakLine() {
            result.append(UInt8(ascii: "\n"))
            result.append(contentsOf: repeatElement(UInt8(ascii: " "), count: level * 2))
        }
        for byte in text {
            if isInString {
                result.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                continue
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                level = max(0, level - 1)
                if !isEmptySoFar { breakLine() }
                isEmptySoFar = false
                result.append(byte)
                continue
            default: break
            }
            if isEmptySoFar {
                breakLine()
                isEmptySoFar = false
            }
            result.append(byte)
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                level += 1
                isEmptySoFar = true
            case UInt8(ascii: ","): breakLine()
            case UInt8(ascii: ":"): result.append(UInt8(ascii: " "))
            default: break
            }
        }
        return result
    }
}
