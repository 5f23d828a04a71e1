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
        let time = Self.clock.withLock { $0.timestamp() }
        var line = ByteBuffer()
        if self.asText {
            line.writeString(self.text(event, time, metadata))
        } else {
            line.writeStaticString("{\"ts\":")
            line.writeJSON(time)
            line.writeStaticString(",\"level\":")
            line.writeJSON(event.level.rawValue)
            line.writeStaticString(",\"message\":")
            line.writeJSON("\(event.message)")
            for (key, value) in metadata {
                line.writeStaticString(",")
                line.writeJSON(key)
                line.writeStaticString(":")
                line.writeJSON("\(value)")
            }
            line.writeStaticString("}\n")
        }
        line.withUnsafeReadableBytes { bytes in
            // One write for a line, so that lines of several threads never mix; a log that nobody reads is no error.
            if let base = bytes.baseAddress { _ = write(2, base, bytes.count) }
        }
    }

    private func text(
        _ event: LogEvent,
        _ time: String,
        _ metadata: [(key: String, value: Logger.Metadata.Value)]
    ) -> String {
        let colour =
            switch event.level {
            case _ where !self.hasColour: ""
            case .error, .critical: "\u{1B}[31m"
            case .warning: "\u{1B}[33m"
            default: "\u{1B}[36m"
            }
        let end = colour.isEmpty ? "" : "\u{1B}[0m"
        let values = metadata.map { " \($0.key)=\(Self.printable("\($0.value)"))" }.joined()
        return "\(time) \(colour)\(event.level.rawValue)\(end) \(Self.printable("\(event.message)"))\(values)\n"
    }

    private static func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) {
                result += "\\x" + String(scalar.value, radix: 16)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
