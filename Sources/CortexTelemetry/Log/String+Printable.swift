extension String {
    /// The text with its control characters written out, so that it can neither move a cursor nor end its line.
    var printable: String {
        var result = ""
        for scalar in self.unicodeScalars {
            if scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) {
                result += "\\x" + String(scalar.value, radix: 16)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
