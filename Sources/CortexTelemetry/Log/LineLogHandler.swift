package import Logging
import NIOCore
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The server's own log lines, on standard error: text for a person, JSON for a program.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level = .info
    private let asText: Bool
    private let hasColour: Bool
    private static let clock = Mutex(WallClock())

    package init(asText: Bool) {
        self.asText = asText
        self.hasColour = asText && isatty(2) == 1
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let metadata = self.metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let output = self.asText ? Self.textOutput : Self.jsonOutput
        output.write(self.line(event.level, "\(event.message)", metadata))
    }

    // One for a form: a process uses one of them.
    private static let textOutput = LineOutput(descriptor: 2) { Self(asText: true).note(dropped: $0) }
    private static let jsonOutput = LineOutput(descriptor: 2) { Self(asText: false).note(dropped: $0) }

    private func note(dropped: Int) -> ByteBuffer {
        self.line(.warning, "\(dropped) log lines were dropped: nobody read standard error", [])
    }

    private func line(
        _ level: Logger.Level,
        _ message: String,
        _ metadata: [(key: String, value: Logger.Metadata.Value)]
    ) -> ByteBuffer {
        let time = Self.clock.withLock { $0.timestamp() }
        guard !self.asText else { return ByteBuffer(string: self.text(level, message, time, metadata)) }
        var line = ByteBuffer()
        line.writeStaticString("{\"ts\":")
        line.writeJSON(time)
        line.writeStaticString(",\"level\":")
        line.writeJSON(level.rawValue)
        line.writeStaticString(",\"message\":")
        line.writeJSON(message)
        for (key, value) in metadata {
            line.writeStaticString(",")
            line.writeJSON(key)
            line.writeStaticString(":")
            line.writeJSON("\(value)")
        }
        line.writeStaticString("}\n")
        return line
    }

    private func text(
        _ level: Logger.Level,
        _ message: String,
        _ time: String,
        _ metadata: [(key: String, value: Logger.Metadata.Value)]
    ) -> String {
        let colour =
            switch level {
            case _ where !self.hasColour: ""
            case .error, .critical: "\u{1B}[31m"
            case .warning: "\u{1B}[33m"
            default: "\u{1B}[36m"
            }
        let end = colour.isEmpty ? "" : "\u{1B}[0m"
        let values = metadata.map { " \($0.key)=\("\($0.value)".printable)" }.joined()
        return "\(time) \(colour)\(level.rawValue)\(end) \(message.printable)\(values)\n"
    }
}
