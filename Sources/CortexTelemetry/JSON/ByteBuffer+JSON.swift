package import CortexSpec
package import NIOCore

extension ByteBuffer {
    /// Writes `text` as a JSON string, as `ByteWriter` does.
    package mutating func writeJSON(_ text: some StringProtocol) {
        let text = String(text)
        self.write(atMost: ByteWriter.mostJSON(of: text)) { $0.writeJSON(text) }
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
    package mutating func writeDecimal(_ number: Int) {
        self.write(atMost: 20) { $0.writeDecimal(number) }
    }

    /// Writes a duration in milliseconds with three decimals (`12.345`).
    package mutating func writeMilliseconds(_ duration: TimeAmount) {
        self.write(atMost: 24) { $0.writeMilliseconds(duration) }
    }
}
