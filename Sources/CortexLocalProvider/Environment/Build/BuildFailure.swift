/// Why a step of a build failed, and where in the project that is to be mended.
package struct BuildFailure: Hashable, Sendable {
    /// The line to look at, such as `requirements.txt:3`; nil where no line is to blame.
    package var place: String?
    /// What is asked for there, such as `nunpy`.
    package var subject: String?
    /// In a sentence, without a capital and a full stop.
    package var reason: String
    /// Whether the network was to blame, so that the same may succeed later.
    package var isTransient = false
    /// The last lines of the tool.
    package var output: [String] = []
    /// The file that has all of them.
    package var log = ""

    /// Lines that are shown; the log has all.
    static let shownLines = 20
}

extension BuildFailure: CustomStringConvertible {
    package var description: String {
        let head = [self.place, self.subject, self.reason].compactMap { $0 }.joined(separator: ": ")
        return head + "\n" + self.output.map { "  \($0)\n" }.joined() + "all of its output: \(self.log)"
    }
}
