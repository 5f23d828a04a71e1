/// Why a command did not do what it was asked for, in words for its user.
package struct CommandFailure: Error, Hashable {
    package var message: String
    /// What to do about it.
    package var hint: String?
    /// 1 failed, 2 wrong usage, 3 not ready in time.
    package var exitCode: Int32

    package init(_ message: String, hint: String? = nil, exitCode: Int32 = 1) {
        self.message = message
        self.hint = hint
        self.exitCode = exitCode
    }

    /// An error in words, with what to do about it.
    static func text(of error: any Error) -> String {
        guard let failure = error as? CommandFailure else { return "\(error)" }
        return failure.message + (failure.hint.map { "\n\($0)" } ?? "")
    }
}
