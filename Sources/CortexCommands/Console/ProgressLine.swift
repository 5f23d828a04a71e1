/// What is going on, on standard error: one line in motion on a terminal, a line per step otherwise.
///
/// Silent for the first two seconds, so that quick commands stay quiet.
struct ProgressLine {
    private static let frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

    private let console: Console
    private let started = ContinuousClock.now
    private let quiet: Duration
    private var shown: String?
    private var current: String?
    private var frame = 0

    init(console: Console, quiet: Duration = .seconds(2)) {
        self.console = console
        self.quiet = quiet
    }

    /// Notes the step that runs now; nil keeps the last one.
    ///
    /// To be called often, since it also moves the line.
    mutating func show(_ step: String? = nil) {
        self.current = step ?? self.current
        guard let current = self.current, ContinuousClock.now - self.started >= self.quiet else { return }
        if self.console.errorsAreTerminal {
            self.frame = (self.frame + 1) % Self.frames.count
            self.shown = current
            self.console.noteRaw("\r\u{1B}[K\(Self.frames[self.frame]) \(current.prefix(160))")
        } else if self.shown != current {
            self.shown = current
            self.console.note(current)
        }
    }

    /// Keeps the line in motion while something is waited for.
    mutating func show<Value: Sendable>(
        while operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await operation() }
            // Each pause is a task, so that the answer is not kept waiting for its end.
            group.addTask { try await Self.pause() }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
                self.show()
                group.addTask { try await Self.pause() }
            }
            throw CancellationError()
        }
    }

    private static func pause<Value: Sendable>() async throws -> Value? {
        try await Task.sleep(for: .milliseconds(100))
        return nil
    }

    /// Takes the line in motion away, before anything else is written.
    mutating func clear() {
        if self.console.errorsAreTerminal, self.shown != nil { self.console.noteRaw("\r\u{1B}[K") }
        self.shown = nil
    }
}
