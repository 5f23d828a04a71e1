/// A scalar as written, and what YAML makes of it.
struct YAMLScalar {
    enum Value: Equatable {
        case null
        case bool(Bool)
        case int(Int64)
        /// A whole number that does not fit 64 bits.
        case hugeInt
        case double(Double)
        case text
    }

    /// Without quotes, escapes resolved.
    var text: String
    var value: Value

    /// A word or number without quotes is typed by YAML 1.1, as users of the original know it, except for what
    /// only surprises: `y` and `n`, numbers in base 60, and dates stay text.
    init(text: String, isPlain: Bool) {
        self.text = text
        self.value = isPlain ? Self.resolve(text) : .text
    }

    /// What the value is, for messages.
    var kind: String {
        switch self.value {
        case .null: "empty"
        case .bool: "the boolean \(self.text)"
        case .int, .hugeInt, .double: "the number \(self.text)"
        case .text: "the text \(self.text.quoted)"
        }
    }

    private static func resolve(_ text: String) -> Value {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return .bool(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return .bool(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .double(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
        case ".nan", ".NaN", ".NAN": return .double(.nan)
        default: return Self.number(text) ?? .text
        }
    }

    private static func number(_ text: String) -> Value? {
        var digits = Substring(text)
        let isNegative = digits.first == "-"
        if isNegative || digits.first == "+" { digits.removeFirst() }
        guard let first = digits.utf8.first, (0x30...0x39).contains(first) || first == 0x2E else { return nil }
        let prefixes: [(String, Int)] = [("0x", 16), ("0o", 8), ("0b", 2)]
        for (prefix, radix) in prefixes where digits.hasPrefix(prefix) {
            return Self.integer(digits.dropFirst(2), radix: radix, isNegative: isNegative)
        }
        if digits.count > 1, digits.first == "0", digits.utf8.allSatisfy({ (0x30...0x37).contains($0) || $0 == 0x5F }) {
            return Self.integer(digits.dropFirst(), radix: 8, isNegative: isNegative)
        }
        if let value = Self.integer(digits, radix: 10, isNegative: isNegative) { return value }
        return Self.fraction(digits, isNegative: isNegative)
    }

    /// Nil where there is anything but digits of the radix and `_` between them.
    private static func integer(_ digits: Substring, radix: Int, isNegative: Bool) -> Value? {
        let plain = digits.filter { $0 != "_" }
        guard let first = digits.first, first != "_",
            plain.allSatisfy({ $0.isASCII && Int(String($0), radix: radix) != nil })
        else { return nil }
        guard let value = Int64((isNegative ? "-" : "") + plain, radix: radix) else { return .hugeInt }
        return .int(value)
    }

    private static func fraction(_ digits: Substring, isNegative: Bool) -> Value? {
        let plain = digits.filter { $0 != "_" }
        let legal = plain.utf8.allSatisfy { (0x30...0x39).contains($0) || [0x2E, 0x65, 0x45, 0x2B, 0x2D].contains($0) }
        guard legal, plain.contains(where: \.isNumber), let value = Double(plain) else { return nil }
        return .double(isNegative ? -value : value)
    }
}
