/// Lets through what one request wrote, of a log as `cortex logs` shows it.
struct LogRequestFilter {
    private let mark: Substring
    private let asJSON: Bool
    private var rest: [UInt8] = []
    private var isShown = false

    init(requestID: String, asJSON: Bool) {
        // No message can hold the latter: its quotation marks are escaped.
        self.mark = asJSON ? ",\"request_id\":\"\(requestID)\"," : "[\(requestID)]"
        self.asJSON = asJSON
    }

    /// The lines of the request in what came, and in what was left of a line before.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [String] {
        self.rest += bytes
        guard let end = self.rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let lines = self.rest[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let shown = lines.map { String(decoding: $0, as: UTF8.self) }.filter { self.admits($0) }
        self.rest.removeSubrange(...end)
        return shown
    }

    /// A line begins with its time, a level if that is worth it, and the id; further lines of a message are indented.
    private mutating func admits(_ line: String) -> Bool {
        if self.asJSON { return line.contains(self.mark) }
        if !line.hasPrefix(" ") {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).dropFirst()
            self.isShown = words.first == self.mark || words.dropFirst().first == self.mark && Self.isLevel(words.first)
        }
        return self.isShown
    }

    private static func isLevel(_ word: Substring?) -> Bool { word == "ERROR" || word == "WARNING" }
}
