import Foundation

/// Questions to a person; asked only where one sits at a terminal.
struct Prompt {
    private let console: Console

    /// Nil where nobody could see or answer a question.
    init?(console: Console) {
        guard isatty(STDIN_FILENO) == 1, console.errorsAreTerminal else { return nil }
        self.console = console
    }

    /// One line; nil at the end of input (Ctrl-D).
    /// - Parameter isSecret: Whether what is typed stays unseen.
    func ask(_ question: String, isSecret: Bool = false) -> String? {
        guard isSecret else {
            self.console.noteRaw(question + ": ")
            return readLine()?.trimmingCharacters(in: .whitespaces)
        }
        var settings = termios()
        tcgetattr(STDIN_FILENO, &settings)
        let before = settings
        settings.c_lflag &= ~tcflag_t(ECHO)
        // Before the question, so that nothing typed at once is seen; and what was typed ahead is kept.
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
        self.console.noteRaw(question + ": ")
        defer {
            var before = before
            tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
            self.console.note("")
        }
        return readLine()?.trimmingCharacters(in: .whitespaces)
    }
}
