internal import CortexTelemetry

/// The clocks of a library, so that tests can turn both.
struct LibraryTime: Sendable {
    /// Waits; throws `CancellationError` when the task is cancelled.
    let sleep: @Sendable (Duration) async throws -> Void
    /// Runs on whatever is done to the wall clock; counts from the library's start.
    let elapsed: @Sendable () -> Duration
    /// Unix milliseconds, as stores stamp their objects.
    let wall: @Sendable () -> Int64

    init<Ticks: Clock>(
        _ clock: Ticks,
        wall: @escaping @Sendable () -> Int64 = { Int64(WallClock.milliseconds()) }
    ) where Ticks.Duration == Duration {
        let start = clock.now
        self.sleep = { try await clock.sleep(for: $0) }
        self.elapsed = { start.duration(to: clock.now) }
        self.wall = wall
    }
}
