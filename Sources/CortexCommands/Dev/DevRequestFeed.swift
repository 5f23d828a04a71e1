/// Lets as many request lines through as a person can read; the others are counted.
struct DevRequestFeed: Sendable {
    /// Lines of one second.
    static let limit = 20

    private var windowStart: ContinuousClock.Instant?
    private var shown = 0
    private(set) var hidden = 0

    /// Whether a line is to be shown now.
    mutating func admits(at now: ContinuousClock.Instant) -> Bool {
        if self.windowStart.map({ now - $0 >= .seconds(1) }) ?? true {
            self.windowStart = now
            self.shown = 0
        }
        guard self.shown < Self.limit else {
            self.hidden += 1
            return false
        }
        self.shown += 1
        return true
    }

    /// How many were not shown since it was last asked.
    mutating func takeHidden() -> Int {
        defer { self.hidden = 0 }
        return self.hidden
    }
}
