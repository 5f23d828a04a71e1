import CortexControlPlane
import Foundation

/// Where a trace comes from: what was typed, a file, or standard input.
enum TraceSource {
    /// 31 days of a line a second are less.
    private static let limit = 256 << 20

    static func trace(_ text: String) throws(CommandFailure) -> LoadTrace {
        do throws(LoadTraceProblem) {
            if text == "-" { return try LoadTrace(csv: try Self.read(.standardInput, named: "standard input")) }
            // A file may be called 8x300, too.
            if FileManager.default.fileExists(atPath: text) {
                guard let file = FileHandle(forReadingAtPath: text) else {
                    throw LoadTraceProblem(line: nil, message: "it cannot be read")
                }
                return try LoadTrace(csv: try Self.read(file, named: text))
            }
            if let trace = try LoadTrace(steps: text) { return trace }
        } catch {
            let place = error.line.map { ":\($0)" } ?? ""
            throw CommandFailure("\(text == "-" ? "standard input" : text)\(place): \(error.message)")
        }
        throw CommandFailure(
            "there is no file \(text), and it is no list of steps",
            hint: "a step is so many requests in flight for so many seconds: cortex autoscale simulate 0x60,8x300",
            exitCode: 2
        )
    }

    private static func read(_ file: FileHandle, named name: String) throws(LoadTraceProblem) -> String {
        let data: Data?
        do {
            data = try file.read(upToCount: Self.limit)
        } catch {
            throw LoadTraceProblem(line: nil, message: "cannot be read: \(error.localizedDescription)")
        }
        guard let text = String(data: data ?? Data(), encoding: .utf8) else {
            throw LoadTraceProblem(line: nil, message: "is not UTF-8 text")
        }
        guard (data?.count ?? 0) < Self.limit else {
            throw LoadTraceProblem(line: nil, message: "is larger than 256 MiB")
        }
        return text
    }
}
