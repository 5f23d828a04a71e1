/// Where `cortex dev` writes: lines that stay, and one in motion below them.
struct DevScreen {
    let console: Console
    private var line: ProgressLine

    init(console: Console) {
        self.console = console
        self.line = Self.line(console)
    }

    /// Begins something; it is shown if it takes a while.
    mutating func begin(_ step: String) {
        self.line.clear()
        self.line = Self.line(self.console)
        self.line.show(step)
    }

    /// Where lines stay, each step is one: told only of what takes long.
    private static func line(_ console: Console) -> ProgressLine {
        ProgressLine(console: console, quiet: console.errorsAreTerminal ? .milliseconds(150) : .seconds(2))
    }

    mutating func print(_ text: String) {
        self.line.clear()
        self.console.print(text)
    }

    /// What goes on; to be called often, since it also moves the line.
    mutating func progress(_ step: String) {
        self.line.show(step)
    }

    mutating func clear() {
        self.line.clear()
    }
}
