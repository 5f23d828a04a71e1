import CortexSpec

/// Why a text is no trace.
package struct LoadTraceProblem: Error, Hashable, CustomStringConvertible {
    /// Counted from 1; nil where it is not about one line.
    package var line: Int?
    package var message: String

    package init(line: Int?, message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { (self.line.map { "line \($0): " } ?? "") + self.message }
}

extension LoadTrace {
    /// Reads steps: `0x60,8x5m,0x900` is nothing in flight for 60 s, then 8 for 5 minutes, then nothing for 900 s.
    ///
    /// Nil where the text does not look like that at all: it may be the name of a file.
    package init?(steps text: String) throws(LoadTraceProblem) {
        let steps = text.split(separator: ",", omittingEmptySubsequences: false).map { step in
            step.split(separator: "x", omittingEmptySubsequences: false).map { $0.trimmingBlanks }
        }
        guard steps.allSatisfy({ $0.count == 2 && ($0.first?.first?.isNumber ?? false) }) else { return nil }
        self.init()
        for step in steps {
            let inFlight = try Self.inFlight(step[0], line: nil)
            let seconds = Double(step[1]).flatMap { $0 >= 0 && $0 < 1e15 ? Duration.seconds($0) : nil }
            guard let duration = seconds ?? Duration(goText: step[1]), duration > .zero else {
                throw LoadTraceProblem(
                    line: nil,
                    message: "\"\(step[1])\" is no duration; a step is written LOADxSECONDS or LOADx5m, such as 8x300"
                )
            }
            guard self.hold(inFlight, for: duration) else { throw Self.tooLong(line: nil) }
        }
    }

    /// Reads lines of `seconds,in_flight`, by time; each holds until the next, and the last as long as the one before it.
    ///
    /// A line of titles may stand first; empty lines and such that begin with `#` are passed over.
    package init(csv text: String) throws(LoadTraceProblem) {
        self.init()
        var last: (time: Duration, inFlight: Double)?
        var gap = Duration.seconds(1)
        var isFirst = true
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = String(line).trimmingBlanks
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingBlanks }
            let isTitle = isFirst && fields.allSatisfy { Double($0) == nil }
            isFirst = false
            if isTitle { continue }
            guard fields.count == 2, let seconds = Double(fields[0]), (0..<1e15).contains(seconds) else {
                throw LoadTraceProblem(line: index + 1, message: "\"\(line)\" is not seconds,in_flight, such as 60,8")
            }
            let time = Duration.seconds(seconds)
            let inFlight = try Self.inFlight(fields[1], line: index + 1)
            if let last {
                guard time > last.time else {
                    throw LoadTraceProblem(line: index + 1, message: "\(fields[0]) s is not after the line before it")
                }
                gap = time - last.time
                guard self.hold(last.inFlight, for: gap) else { throw Self.tooLong(line: index + 1) }
            }
            last = (time, inFlight)
        }
        guard let last else {
            throw LoadTraceProblem(line: nil, message: "there is no line of seconds,in_flight in it")
        }
        guard self.hold(last.inFlight, for: gap) else { throw Self.tooLong(line: nil) }
    }

    private static func inFlight(_ text: String, line: Int?) throws(LoadTraceProblem) -> Double {
        guard let number = Double(text), (0...1e9).contains(number) else {
            throw LoadTraceProblem(
                line: line,
                message: "\"\(text)\" is no number of requests in flight; it must be from 0 to 1000000000"
            )
        }
        return number
    }

    private static func tooLong(line: Int?) -> LoadTraceProblem {
        LoadTraceProblem(
            line: line,
            message: "the trace is longer than \(Self.longest.components.seconds / 86_400) days"
        )
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    fileprivate var trimmingBlanks: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        let rest = self.drop(while: isBlank)
        return String(rest.reversed().drop(while: isBlank).reversed())
    }
}
