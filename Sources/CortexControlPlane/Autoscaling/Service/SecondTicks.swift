/// The time, once a second.
///
/// It begins as the wall clock's and goes on at the pace of a steady clock, so that times of one server can be compared with
/// those of the next, and nobody who sets the clock makes a window longer or shorter. Seconds that its consumer was too busy
/// for are left out. It ends with the task.
package struct SecondTicks<Time: Clock>: AsyncSequence, Sendable where Time.Duration == Duration {
    private let clock: Time
    private let origin: Duration

    /// - Parameter origin: The wall clock's time now, since 1970.
    package init(_ clock: Time, origin: Duration) {
        self.clock = clock
        self.origin = origin
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let clock: Time
        fileprivate let origin: Duration
        fileprivate let start: Time.Instant
        fileprivate var second: Int64 = 0

        package mutating func next() async -> Duration? {
            let passed = self.start.duration(to: self.clock.now).components.seconds
            self.second = Swift.max(self.second + 1, passed)
            let wait = self.start.advanced(by: .seconds(self.second))
            guard (try? await self.clock.sleep(until: wait, tolerance: .milliseconds(50))) != nil else { return nil }
            return self.origin + .seconds(self.second)
        }
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(clock: self.clock, origin: self.origin, start: self.clock.now)
    }
}
