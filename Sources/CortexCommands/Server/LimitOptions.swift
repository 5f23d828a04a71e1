import ArgumentParser
import CortexSpec

/// The flags of the server's bounds; `docs/limits.md` is the whole table.
struct LimitOptions: ParsableArguments {
    @Option(help: Self.help("Largest body, for all APIs", .maxBodySize))
    var maxBodySize: String?

    @Option(name: .customLong("max-url-length"), help: Self.help("Longest path with its query", .maxURLLength))
    var maxURLLength: String?

    @Option(help: Self.help("Most headers of a request", .maxHeaders))
    var maxHeaders: String?

    @Option(help: Self.help("Longest name or value of a header", .maxHeaderSize))
    var maxHeaderSize: String?

    @Option(help: Self.help("Path and all headers together", .maxHeadSize))
    var maxHeadSize: String?

    @Option(help: Self.help("Most parts or fields of a form", .maxFormParts))
    var maxFormParts: String?

    @Option(name: .customLong("max-json-depth"), help: Self.help("Deepest nesting of JSON", .maxJSONDepth))
    var maxJSONDepth: String?

    @Option(help: Self.help("Most connections at once", .maxConnections))
    var maxConnections: String?

    @Option(help: Self.help("Larger bodies go through files", .inlineLimit))
    var inlineLimit: String?

    @Option(help: Self.help("Disk for all such files together", .spoolBudget))
    var spoolBudget: String?

    @Option(help: Self.help("Memory for all answers that wait for their readers", .answerMemory))
    var answerMemory: String?

    @Option(help: Self.help("Until all headers are there", .headerTimeout))
    var headerTimeout: String?

    @Option(help: Self.help("Between two pieces of a body", .bodyTimeout))
    var bodyTimeout: String?

    @Option(help: Self.help("Between two requests of a connection", .idleTimeout))
    var idleTimeout: String?

    @Option(help: Self.help("Slowest sender of a body, a second", .minUploadRate))
    var minUploadRate: String?

    @Option(help: Self.help("Slowest reader of an answer, a second", .minDownloadRate))
    var minDownloadRate: String?

    @Option(help: Self.help("What both rates are averaged over", .rateWindow))
    var rateWindow: String?

    @Option(help: Self.help("How long a request waits for a replica that it has woken", .wakeTimeout))
    var wakeTimeout: String?

    private static func help(_ text: String, _ limit: ServerLimit) -> ArgumentHelp {
        let name =
            switch limit.unit {
            case .bytes: "bytes"
            case .count: "number"
            case .time: "duration"
            }
        return ArgumentHelp("\(text) (\(limit.variable); default \(limit.text(of: limit.standard))).", valueName: name)
    }

    private func text(of limit: ServerLimit) -> String? {
        switch limit {
        case .maxBodySize: self.maxBodySize
        case .maxURLLength: self.maxURLLength
        case .maxHeaders: self.maxHeaders
        case .maxHeaderSize: self.maxHeaderSize
        case .maxHeadSize: self.maxHeadSize
        case .maxFormParts: self.maxFormParts
        case .maxJSONDepth: self.maxJSONDepth
        case .maxConnections: self.maxConnections
        case .inlineLimit: self.inlineLimit
        case .spoolBudget: self.spoolBudget
        case .answerMemory: self.answerMemory
        case .headerTimeout: self.headerTimeout
        case .bodyTimeout: self.bodyTimeout
        case .idleTimeout: self.idleTimeout
        case .minUploadRate: self.minUploadRate
        case .minDownloadRate: self.minDownloadRate
        case .rateWindow: self.rateWindow
        case .wakeTimeout: self.wakeTimeout
        }
    }

    /// The flags with the environment and the defaults.
    func limits(environment: [String: String]) throws -> ServerLimits {
        var limits = ServerLimits()
        for limit in ServerLimit.allCases {
            if let text = self.text(of: limit) {
                limits[limit] = try limit.value(of: text, from: limit.flag)
            } else if let text = environment[limit.variable], !text.isEmpty {
                limits[limit] = try limit.value(of: text, from: limit.variable)
            }
        }
        return limits
    }

    /// Variables that are none, and the limits that were probably meant: an edit or two away.
    static func misspelt(in environment: [String: String]) -> [(variable: String, meant: ServerLimit)] {
        let known = Set(ServerLimit.allCases.map(\.variable))
        let others = environment.keys.filter { $0.hasPrefix("CORTEX_") && $0.utf8.count <= 64 && !known.contains($0) }
        return others.sorted().compactMap { variable in
            let near = ServerLimit.allCases.map { limit in
                (limit, Suggestion.distance(Array(variable.utf8), Array(limit.variable.utf8)))
            }
            guard let best = near.min(by: { $0.1 < $1.1 }), best.1 <= 2 else { return nil }
            return (variable, best.0)
        }
    }

    /// The flags as another command line would take them.
    var arguments: [String] {
        ServerLimit.allCases.flatMap { limit in self.text(of: limit).map { [limit.flag, $0] } ?? [] }
    }
}
