extension String {
    /// The text with nothing in it that could act on a terminal: control characters and those that turn the direction
    /// of text are written as escapes.
    var escaped: String {
        guard self.unicodeScalars.contains(where: \.actsOnTerminals) else { return self }
        var text = ""
        for scalar in self.unicodeScalars {
            text += scalar.actsOnTerminals ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return text
    }
}

extension Unicode.Scalar {
    fileprivate var actsOnTerminals: Bool {
        switch self.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
