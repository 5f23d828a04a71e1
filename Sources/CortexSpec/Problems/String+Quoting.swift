extension String {
    /// The text in double quotes, cut to 80 characters, with nothing in it that could act on a terminal.
    var quoted: String {
        var text = "\""
        for scalar in self.unicodeScalars.prefix(80) {
            switch scalar {
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case "\"": text += "\\\""
            case "\u{200E}", "\u{200F}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": text += scalar.escape
            default: text += scalar.properties.generalCategory == .control ? scalar.escape : String(scalar)
            }
        }
        return text + (self.unicodeScalars.count > 80 ? "…\"" : "\"")
    }
}

extension Unicode.Scalar {
    /// `U+0007`.
    var name: String {
        let digits = String(self.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    fileprivate var escape: String { "\\u{\(String(self.value, radix: 16))}" }
}
