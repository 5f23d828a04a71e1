import CortexControlPlane
import Foundation

/// Standard output for results and standard error for everything else.
///
/// A reader that has gone (`cortex get | head`) ends the program without a word.
package struct Console: Sendable {
    package static let standard = Console(output: STDOUT_FILENO, errors: STDERR_FILENO)

    private let output: Int32
    private let errors: Int32
    /// Whether a person reads the results.
    package let isTerminal: Bool
    /// Whether a person reads progress and errors.
    package let errorsAreTerminal: Bool
    private let isPlain: Bool

    init(output: Int32, errors: Int32, environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.output = output
        self.errors = errors
        self.isTerminal = isatty(output) == 1
        self.errorsAreTerminal = isatty(errors) == 1
        self.isPlain = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
    }

    /// Whether results may hold ANSI codes.
    package var usesColour: Bool { self.isTerminal && !self.isPlain }
    /// Whether errors may hold ANSI codes.
    package var usesColourInErrors: Bool { self.errorsAreTerminal && !self.isPlain }

    /// Columns and rows of the terminal that results go to; nil where there is none.
    package var size: (columns: Int, rows: Int)? {
        guard self.isTerminal else { return nil }
        var size = winsize()
        guard ioctl(self.output, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Writes a result and a line end.
    package func print(_ text: String) { self.write(Array((text + "\n").utf8)) }

    /// Writes a result as JSON, laid out for people too.
    package func printJSON(_ value: some Encodable) throws {
        self.write(JSONText.indented(try StateJSON.encoder().encode(value)) + [UInt8(ascii: "\n")])
    }

    /// Writes bytes of a result as they are.
    package func write(_ bytes: some Sequence<UInt8>) { Self.write(Array(bytes), to: self.output) }

    /// Writes a line beside the results.
    package func note(_ text: String) { Self.write(Array((text + "\n").utf8), to: self.errors) }

    /// Writes to standard error without a line end.
    func noteRaw(_ text: String) { Self.write(Array(text.utf8), to: self.errors) }

    /// Writes `error: …` and what to do.
    package func error(_ failure: CommandFailure) {
        let label = self.usesColourInErrors ? "\u{1B}[1;31merror:\u{1B}[0m" : "error:"
        self.note("\(label) \(failure.message)")
        if let hint = failure.hint { self.note("  \(hint)") }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waited, 1, -1)
            } else if errno != EINTR {
                // Nobody reads any more (EPIPE): what is left to say is of no use. The status is that of success, since the
                // reader chose to stop.
                exit(errno == EPIPE ? 0 : 1)
            }
        }
    }
}
