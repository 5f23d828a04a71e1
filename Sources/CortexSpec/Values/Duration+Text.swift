extension Duration {
    /// Reads a Go duration: `300ms`, `0.1s`, `1m30s`, `2h`, also negative; nil for anything else, or beyond 292 years.
    package init?(goText text: String) {
        let units: [(String, Double)] = [
            ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 6e10), ("h", 3.6e12),
        ]
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        if rest == "0" {
            self = .zero
            return
        }
        guard !rest.isEmpty else { return nil }
        var nanoseconds = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
            rest = rest.dropFirst(number.count)
            let name = rest.prefix { !("0"..."9").contains($0) && $0 != "." }
            rest = rest.dropFirst(name.count)
            let legal = number.contains { $0 != "." } && number.count { $0 == "." } <= 1
            guard legal, let value = Double("0" + number + "0".prefix(number.last == "." ? 1 : 0)),
                let unit = units.first(where: { $0.0 == name })
            else { return nil }
            nanoseconds += value * unit.1
        }
        guard nanoseconds < 9.2e18 else { return nil }
        self = .nanoseconds(Int64(nanoseconds.rounded()) * (isNegative ? -1 : 1))
    }

    /// The duration as Go prints it: `1m30s`, `300ms`, `0s`.
    package var goText: String {
        let (seconds, attoseconds) = self.components
        if self < .zero { return "-" + (Duration.zero - self).goText }
        let nanoseconds = attoseconds / 1_000_000_000
        if seconds == 0 {
            switch nanoseconds {
            case 0: return "0s"
            case ..<1_000: return "\(nanoseconds)ns"
            case ..<1_000_000: return Self.decimal(nanoseconds, digits: 3) + "µs"
            default: return Self.decimal(nanoseconds, digits: 6) + "ms"
            }
        }
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
        var text = hours > 0 ? "\(hours)h" : ""
        if hours > 0 || minutes > 0 { text += "\(minutes)m" }
        return text + Self.decimal(seconds % 60 * 1_000_000_000 + nanoseconds, digits: 9) + "s"
    }

    /// A whole number of the smallest unit as a decimal fraction with that many digits, no zeros at its end.
    private static func decimal(_ value: Int64, digits: Int) -> String {
        var scale: Int64 = 1
        for _ in 0..<digits { scale *= 10 }
        var fraction = String(value % scale)
        fraction = String(repeating: "0", count: digits - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return "\(value / scale)" + (fraction.isEmpty ? "" : "." + fraction)
    }
}

/// A duration that is encoded as text (`1m30s`), as users write and read it.
@propertyWrapper
package struct DurationText: Hashable, Sendable, Codable {
    package var wrappedValue: Duration

    package init(wrappedValue: Duration) {
        self.wrappedValue = wrappedValue
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let duration = Duration(goText: text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not a duration")
        }
        self.wrappedValue = duration
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.wrappedValue.goText)
    }
}
