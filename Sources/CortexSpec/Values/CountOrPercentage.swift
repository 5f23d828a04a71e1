/// An amount of replicas: so many, or so many of a hundred.
package enum CountOrPercentage: Hashable, Sendable, CustomStringConvertible {
    case count(Int)
    case percentage(Int)

    /// Reads `3` or `25%`; nil for a negative number, a percentage beyond 100, or anything else.
    package init?(_ text: String) {
        let digits = text.hasSuffix("%") ? text.dropLast() : Substring(text)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(digits) else {
            return nil
        }
        if text.hasSuffix("%") {
            guard value <= 100 else { return nil }
            self = .percentage(value)
        } else {
            self = .count(value)
        }
    }

    package var description: String {
        switch self {
        case .count(let count): "\(count)"
        case .percentage(let percentage): "\(percentage)%"
        }
    }

    package var isZero: Bool {
        switch self {
        case .count(let value), .percentage(let value): value == 0
        }
    }
}
