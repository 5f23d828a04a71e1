/// Reads off uv's lines how far it is.
struct UVProgress {
    /// In MiB, by package.
    private var sizes: [String: Double] = [:]
    private var running: [String] = []
    private var finished: Set<String> = []

    /// What a line means for those who wait; the line itself is told besides.
    mutating func take(_ line: String) -> BuildProgress? {
        let words = line.split(separator: " ")
        guard words.count > 1 else { return nil }
        switch words[0] {
        case "Resolved": return .step("installing \(Self.packages(words[1]))")
        case "Installed": return .step("installed \(Self.packages(words[1]))\(self.downloaded)")
        case "Downloading" where !line.hasPrefix(" "):
            let name = String(words[1])
            if words.count > 2 { self.sizes[name] = Self.size(words[2]) }
            self.running.append(name)
            return self.status
        // The end of a download is told by an indented line; some releases of uv call it `Downloading` still.
        case "Downloaded", "Downloading":
            let name = String(words[1])
            self.finished.insert(name)
            self.running.removeAll { $0 == name }
            return self.status
        case "Building": return .status("building \(words[1])")
        case "Updating": return .status("fetching \(words[1])")
        default: return nil
        }
    }

    /// Whether a line says what is known anyway, and so is none for a message.
    static func isChatter(_ line: String) -> Bool {
        ["Using Python ", "Using CPython ", "Creating virtual environment ", "Activate with"].contains {
            line.hasPrefix($0)
        }
    }

    private var status: BuildProgress? {
        guard !self.running.isEmpty else { return nil }
        let shown = self.running.prefix(3).joined(separator: ", ") + (self.running.count > 3 ? ", …" : "")
        let done = self.sizes.filter { self.finished.contains($0.key) }.values.reduce(0, +)
        return .status("downloading \(shown): \(Self.text(done)) of \(Self.text(self.total)) MiB")
    }

    private var total: Double { self.sizes.values.reduce(0, +) }

    private var downloaded: String {
        self.total > 0 ? " (\(Self.text(self.total)) MiB downloaded)" : ""
    }

    private static func packages(_ count: Substring) -> String {
        "\(count) package\(count == "1" ? "" : "s")"
    }

    private static func text(_ size: Double) -> String {
        "\(Int(size.rounded()))"
    }

    /// `(16.1MiB)` in MiB.
    private static func size(_ text: Substring) -> Double? {
        let inner = text.filter { $0 != "(" && $0 != ")" }
        let number = inner.prefix { $0.isNumber || $0 == "." }
        guard let value = Double(number) else { return nil }
        switch inner.dropFirst(number.count) {
        case "KiB": return value / 1024
        case "MiB": return value
        case "GiB": return value * 1024
        case "B": return value / 1_048_576
        default: return nil
        }
    }
}
