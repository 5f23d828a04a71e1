import CortexSpec

/// One of the server's bounds, each a flag and a variable.
enum ServerLimit: String, CaseIterable, Sendable {
    case maxBodySize = "max-body-size"
    case maxURLLength = "max-url-length"
    case maxHeaders = "max-headers"
    case maxHeaderSize = "max-header-size"
    case maxHeadSize = "max-head-size"
    case maxFormParts = "max-form-parts"
    case maxJSONDepth = "max-json-depth"
    case maxConnections = "max-connections"
    case inlineLimit = "inline-limit"
    case spoolBudget = "spool-budget"
    case answerMemory = "answer-memory"
    case headerTimeout = "header-timeout"
    case bodyTimeout = "body-timeout"
    case idleTimeout = "idle-timeout"
    case minUploadRate = "min-upload-rate"
    case minDownloadRate = "min-download-rate"
    case rateWindow = "rate-window"
    case wakeTimeout = "wake-timeout"

    /// How a value is written.
    enum Unit {
        case bytes, count, time
    }

    var flag: String { "--\(self.rawValue)" }
    var variable: String { "CORTEX_" + self.rawValue.uppercased().replacing("-", with: "_") }

    var unit: Unit {
        switch self {
        case .maxHeaders, .maxFormParts, .maxJSONDepth, .maxConnections: .count
        case .headerTimeout, .bodyTimeout, .idleTimeout, .rateWindow, .wakeTimeout: .time
        default: .bytes
        }
    }

    /// Bytes, a number, or nanoseconds, as all values here.
    var range: ClosedRange<Int> {
        switch self {
        case .maxBodySize, .spoolBudget: 1...(1 << 50)
        // 128 bytes hold the line and the Host header that every request has.
        case .maxURLLength, .maxHeaderSize: 128...(1 << 20)
        case .maxHeadSize: 256...(1 << 20)
        case .maxHeaders: 1...10_000
        case .maxFormParts: 1...1_000_000
        // Python's own parser ends near 1000 levels.
        case .maxJSONDepth: 1...900
        case .maxConnections: 1...1_000_000
        // Each connection may hold so much of a body in memory, and a frame to a worker holds it with the head.
        case .inlineLimit: (4 << 10)...(8 << 20)
        case .answerMemory: (1 << 20)...(1 << 50)
        case .headerTimeout, .bodyTimeout, .idleTimeout: Self.seconds(0.001)...Self.seconds(86400)
        case .rateWindow, .wakeTimeout: Self.seconds(0.1)...Self.seconds(3600)
        case .minUploadRate, .minDownloadRate: 1...(1 << 30)
        }
    }

    var standard: Int {
        switch self {
        case .maxBodySize: 1 << 30
        case .maxURLLength: 64 << 10
        case .maxHeaders: 256
        case .maxHeaderSize: 80 << 10
        case .maxHeadSize: 256 << 10
        case .maxFormParts: 1000
        case .maxJSONDepth: 512
        case .maxConnections: 16384
        case .inlineLimit: 1 << 20
        case .spoolBudget: 8 << 30
        case .answerMemory: 256 << 20
        case .headerTimeout: Self.seconds(20)
        case .bodyTimeout: Self.seconds(60)
        case .idleTimeout: Self.seconds(75)
        case .minUploadRate, .minDownloadRate: 1 << 10
        case .rateWindow: Self.seconds(30)
        case .wakeTimeout: Self.seconds(120)
        }
    }

    private static func seconds(_ count: Double) -> Int { Int(count * 1e9) }

    /// A value as a user would write it.
    func text(of value: Int) -> String {
        switch self.unit {
        case .bytes: ByteCount(Int64(value)).description
        case .count: "\(value)"
        case .time: Duration.nanoseconds(value).goText
        }
    }

    /// - Parameter source: The flag or the variable that the text comes from.
    func value(of text: String, from source: String) throws -> Int {
        let value: Int? =
            switch self.unit {
            case .bytes: ByteCount(quantity: text).flatMap { Int(exactly: $0.bytes) }
            case .count: Int(text)
            case .time: Duration(goText: text).flatMap { Self.nanoseconds($0) }
            }
        guard let value, self.range.contains(value) else {
            let kind =
                switch self.unit {
                case .bytes: "bytes, such as \(self.text(of: self.standard)), "
                case .count: ""
                case .time: "a duration, such as \(self.text(of: self.standard)), "
                }
            let bounds = "from \(self.text(of: self.range.lowerBound)) to \(self.text(of: self.range.upperBound))"
            throw CommandFailure("\(source) is \"\(text)\"; allowed are \(kind)\(bounds)", exitCode: 2)
        }
        return value
    }

    private static func nanoseconds(_ duration: Duration) -> Int? {
        let (seconds, attoseconds) = duration.components
        guard seconds < 1 << 32, seconds > -(1 << 32) else { return nil }
        return Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
    }
}
