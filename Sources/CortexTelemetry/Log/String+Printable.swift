extension String {
    /// The text with its control and format characters written out, so that it can neither move a cursor, nor end its line,
    /// nor turn the order in which it is shown (U+202E).
    var printable: String {
        var result = ""
        for scalar in self.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control: result += "\\x" + String(scalar.value, radix: 16)
            // A joiner only shapes its neighbours, as in many an emoji.
            case .format where scalar.value != 0x200C && scalar.value != 0x200D, .lineSeparator, .paragraphSeparator:
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
