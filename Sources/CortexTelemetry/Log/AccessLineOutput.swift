import Foundation
package import NIOCore

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Shows access lines on standard error too, beside the server's own: as text for a person, as they are for a program.
///
/// Fed by the task that writes the log's file, so that the event loops have no part in it.
package struct AccessLineOutput: Sendable {
    private struct Line: Decodable {
        let ts: String
        let request_id: String
        let method: String
        let path: String
        let status: Int
        let total_ms: Double
        let error_code: String?
    }

    private let asText: Bool
    private let hasColour: Bool
    private let output: LineOutput

    package init(asText: Bool) {
        self.asText = asText
        self.hasColour = asText && isatty(2) == 1
        self.output = LineOutput(descriptor: 2) { dropped in
            let note = "\(dropped) writes of access lines were dropped: nobody read standard error"
            return ByteBuffer(string: asText ? "\(note)\n" : #"{"level":"warning","message":"\#(note)"}"# + "\n")
        }
    }

    /// Takes whole lines of the access log.
    package func write(_ lines: ByteBuffer) {
        guard self.asText else { return self.output.write(lines) }
        let decoder = JSONDecoder()
        var text = ""
        for line in lines.readableBytesView.split(separator: UInt8(ascii: "\n")) {
            guard let line = try? decoder.decode(Line.self, from: Data(line)) else { continue }
            text += self.text(of: line)
        }
        self.output.write(ByteBuffer(string: text))
    }

    private func text(of line: Line) -> String {
        let colour =
            switch line.status {
            case _ where !self.hasColour: ""
            case 500...: "\u{1B}[31m"
            case 400...: "\u{1B}[33m"
            default: "\u{1B}[32m"
            }
        let end = colour.isEmpty ? "" : "\u{1B}[0m"
        let code = line.error_code.map { " \($0)" } ?? ""
        let request = "\(line.method) \(line.path.printable) \(line.total_ms) ms"
        return "\(line.ts) \(colour)\(line.status)\(end) \(request)\(code) [\(line.request_id)]\n"
    }
}
