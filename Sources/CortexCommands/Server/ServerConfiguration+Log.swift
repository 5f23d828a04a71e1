import CortexTelemetry
import Logging

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

extension ServerConfiguration {
    /// Whether log lines are for people: asked for, or left to choose on a terminal.
    var logsAreText: Bool { self.logFormat == .text || self.logFormat == .auto && isatty(2) == 1 }

    /// What the process says of itself, on standard error.
    func logger() -> Logger {
        var logger = Logger(label: "cortex") { [asText = self.logsAreText] _ in LineLogHandler(asText: asText) }
        logger.logLevel = self.logLevel
        return logger
    }
}
