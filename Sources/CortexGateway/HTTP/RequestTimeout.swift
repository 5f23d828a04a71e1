import NIOCore
import NIOHTTP1

/// What a client asks for in `X-Request-Timeout`: seconds as a decimal (`1.5`), or a duration (`500ms`, `1m30s`).
enum RequestTimeout {
    static let allowed = "allowed are seconds above 0, such as 1.5, or a duration, such as 500ms or 1m30s"
    /// Bytes; what is longer is no number that anybody would wait for.
    static let longestText = 32

    /// Nil where the client asks for nothing; never more than `limit`.
    static func wanted(
        by field: KnownHeaders.Field,
        of headers: HTTPHeaders,
        limit: TimeAmount
    ) throws(GatewayError) -> TimeAmount? {
        guard let text = headers.first(field) else { return nil }
        guard field.count == 1 else { throw .malformed("X-Request-Timeout is there more than once") }
        guard let nanoseconds = self.nanoseconds(text), nanoseconds > 0 else {
            let shown = text.utf8.prefix(self.longestText).map { 0x20..<0x7f ~= $0 ? $0 : UInt8(ascii: "?") }
            let isCut = text.utf8.count > self.longestText
            let quoted = String(decoding: shown, as: UTF8.self) + (isCut ? "…" : "")
            throw .malformed("X-Request-Timeout is \"\(quoted)\"; \(self.allowed)")
        }
        return nanoseconds < Double(limit.nanoseconds) ? .nanoseconds(Int64(nanoseconds)) : limit
    }

    /// Below one nanosecond is 0; nil for what is neither form.
    static func nanoseconds(_ text: String) -> Double? {
        guard text.utf8.count <= self.longestText else { return nil }
        var rest = Substring(text).utf8
        guard var value = self.number(&rest) else { return nil }
        if rest.isEmpty { return (value * 1e9).rounded(.down) }
        var sum = 0.0
        while true {
            guard let unit = self.unit(&rest) else { return nil }
            sum += value * unit
            if rest.isEmpty { return sum.rounded(.down) }
            guard let next = self.number(&rest) else { return nil }
            value = next
        }
    }

    /// Digits with at most one point, and at least one digit.
    private static func number(_ rest: inout Substring.UTF8View) -> Double? {
        var digits = 0
        var value = 0.0
        var scale = 1.0
        var hasPoint = false
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits += 1
                value = value * 10 + Double(byte - UInt8(ascii: "0"))
                if hasPoint { scale *= 10 }
            case UInt8(ascii: ".") where !hasPoint: hasPoint = true
            default: return digits > 0 ? value / scale : nil
            }
            rest.removeFirst()
        }
        return digits > 0 ? value / scale : nil
    }

    /// Nanoseconds of the unit that comes first.
    private static func unit(_ rest: inout Substring.UTF8View) -> Double? {
        let name = rest.prefix { !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: ".")) }
        let units: KeyValuePairs = [
            "s": 1e9, "ms": 1e6, "m": 6e10, "h": 3.6e12, "us": 1e3, "µs": 1e3, "μs": 1e3, "ns": 1,
        ]
        guard let unit = units.first(where: { $0.key.utf8.elementsEqual(name) }) else { return nil }
        rest = rest[name.endIndex...]
        return unit.value
    }
}
