/// Requests in flight over time, to try a configuration on.
package struct LoadTrace: Hashable, Sendable {
    /// What holds from `start` until the next step.
    package struct Step: Hashable, Sendable {
        package var start: Duration
        package var inFlight: Double

        package init(start: Duration, inFlight: Double) {
            self.start = start
            self.inFlight = inFlight
        }
    }

    /// The longest trace: 31 days.
    package static let longest = Duration.seconds(31 * 86_400)

    /// By time, from 0 on.
    package private(set) var steps: [Step] = []
    package private(set) var end = Duration.zero

    package init() {}

    /// Goes on with `inFlight` for a while; false where that would be beyond the longest trace.
    package mutating func hold(_ inFlight: Double, for duration: Duration) -> Bool {
        guard duration >= .zero, duration <= Self.longest - self.end else { return false }
        if self.steps.last?.inFlight != inFlight { self.steps.append(Step(start: self.end, inFlight: inFlight)) }
        self.end += duration
        return true
    }

    /// What is in flight at each second, from 0 on.
    package var samples: [Double] {
        var samples: [Double] = []
        samples.reserveCapacity(Int(self.end.components.seconds))
        var next = 0
        var second = Duration.zero
        while second < self.end {
            while next < self.steps.count, self.steps[next].start <= second { next += 1 }
            samples.append(next == 0 ? 0 : self.steps[next - 1].inFlight)
            second += .seconds(1)
        }
        return samples
    }
}
