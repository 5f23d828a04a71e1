import Foundation

/// A line of an API's log as a person reads it: `time [request id] message`.
package enum LogText {
    /// Bytes of a message beyond which it is cut.
    package static let limit = 256 << 10

    private struct Line: Decodable {
        var ts: String
        var level: String
        var message: String
        var worker: String?
        var stream: String?
        var request_id: String?
    }

    /// A text of unknown origin that may have several lines, without any other control character.
    package static func block(_ text: String) -> String {
        var block = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A: block.unicodeScalars.append(scalar)
            default: block += scalar.shown
            }
        }
        return block
    }

    /// A text of unknown origin as one line that a terminal can be given: without control characters, and cut.
    package static func line(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars.prefix(2_000) {
            switch scalar.value {
            case 0x09, 0x0A, 0x0D: line += " "
            default: line += scalar.shown
            }
        }
        return line
    }

    package static func render(_ json: String, as form: LogForm) -> String {
        switch form {
        case .text: self.render(json)
        case .json: json
        }
    }

    /// Control and format characters are shown as escapes, so that no message can move the cursor or pass for another line: the lines
    /// of a traceback, which is one message, are indented.
    package static func render(_ json: String) -> String {
        guard let line = try? JSONDecoder().decode(Line.self, from: Data(json.utf8)) else { return json }
        var text = line.ts
        if line.level == "error" || line.level == "warning" { text += " \(line.level.uppercased())" }
        if let request = line.request_id {
            text += " [\(request)]"
        } else if ["[", "ERROR ", "WARNING "].contains(where: { line.message.hasPrefix($0) }) {
            // A text without a request must not look like that of one.
            text += " [-]"
        }
        text += " "
        for scalar in line.message.unicodeScalars {
            switch scalar.value {
            case 0x0A: text += "\n    "
            case 0x09: text += "\t"
            default: text += scalar.shown
            }
        }
        return text
    }
}

extension Unicode.Scalar {
    /// Itself, or its number where it moves the cursor, ends the line, or turns the order in which text is shown (U+202E).
    fileprivate var shown: String {
        if (0x20..<0x7F).contains(self.value) { return String(self) }
        return switch self.properties.generalCategory {
        case .control: "\\x" + String(self.value, radix: 16)
        // A joiner only shapes its neighbours, as in many an emoji.
        case .format where self.value != 0x200C && self.value != 0x200D, .lineSeparator, .paragraphSeparator:
            "\\u{" + String(self.value, radix: 16) + "}"
        default: String(self)
        }
    }
}
