/// A number as Kubernetes writes amounts: digits, perhaps a fraction, then a suffix or an exponent.
///
/// Suffixes are `m`, `k M G T P E` (powers of ten), `Ki Mi Gi Ti Pi Ei` (powers of two); `e3` and `E3` are exponents.
/// Kept as whole digits and exponents, so that no rounding of binary fractions creeps in.
struct Quantity {
    private var isNegative = false
    /// All digits without the point.
    private var digits: Int64 = 0
    private var decimalExponent = 0
    private var binaryExponent = 0

    init?(_ text: String) {
        var rest = Substring(text)
        if let sign = rest.first, sign == "-" || sign == "+" {
            self.isNegative = sign == "-"
            rest.removeFirst()
        }
        var hasDigits = false
        var isFraction = false
        while let byte = rest.utf8.first {
            if byte == 0x2E, !isFraction {
                isFraction = true
            } else if (0x30...0x39).contains(byte) {
                hasDigits = true
                let (product, overflow) = self.digits.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(Int64(byte - 0x30))
                guard !overflow, !carry else { return nil }
                self.digits = sum
                if isFraction { self.decimalExponent -= 1 }
            } else {
                break
            }
            rest.removeFirst()
        }
        guard hasDigits, self.readSuffix(rest) else { return nil }
    }

    private mutating func readSuffix(_ suffix: Substring) -> Bool {
        let decimal = ["": 0, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18]
        let binary = ["Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60]
        if let exponent = decimal[String(suffix)] {
            self.decimalExponent += exponent
        } else if let exponent = binary[String(suffix)] {
            self.binaryExponent = exponent
        } else if suffix.first == "e" || suffix.first == "E", let exponent = Int(suffix.dropFirst()), abs(exponent) < 40
        {
            self.decimalExponent += exponent
        } else {
            return false
        }
        return true
    }

    /// The number times a power of ten, rounded away from zero; nil where it does not fit.
    func scaled(by power: Int) -> Int64? {
        var value = self.digits
        for _ in 0..<self.binaryExponent {
            let (product, overflow) = value.multipliedReportingOverflow(by: 2)
            guard !overflow else { return nil }
            value = product
        }
        var exponent = self.decimalExponent + power
        while exponent > 0, value != 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            value = product
            exponent -= 1
        }
        var hasRemainder = false
        while exponent < 0, value != 0 {
            hasRemainder = hasRemainder || value % 10 != 0
            value /= 10
            exponent += 1
        }
        // What is left of a number smaller than the unit still counts as one.
        if hasRemainder { value += 1 }
        return self.isNegative ? -value : value
    }
}
