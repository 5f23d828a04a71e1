/// The delay before the next start of a worker that ended.
///
/// It grows with the number of *ends in a row*, which counts as follows:
///
/// | the process ended | ends in a row |
/// |---|---|
/// | before it was ready | one more |
/// | ready for less than ``steady`` (5 s) | one more |
/// | ready for 5 s or more, and less than ``proof`` (60 s) | as many as before, at least 1 |
/// | ready for 60 s or more | 1 |
///
/// The delay is `initial × 2^(ends − 1)` with ±10 % jitter: 100 ms, 200 ms, 400 ms … up to 30 s where the process never became
/// ready, and up to 5 s where it did, since a worker that answers for a while is worth more than none. From ``loop`` ends
/// in a row on this is a crash loop, and shown as one.
package struct RestartBackoff: Sendable {
    /// A process that has been ready for so long did not end because of its start.
    package static let steady = Duration.seconds(5)
    /// A process that has been ready for so long has nothing to do with earlier ends.
    package static let proof = Duration.seconds(60)
    /// Ends in a row that make a loop.
    package static let loop = 5
    /// Ends in a row from which on requests are refused rather than kept waiting, where a start fails.
    package static let hopeless = 3

    package var initial: Duration = .milliseconds(100)
    package var limit: Duration = .seconds(30)
    /// For one that had been ready.
    package var readyLimit: Duration = .seconds(5)

    package init() {}

    package static func ends(after before: Int, lifetime: Duration) -> Int {
        switch lifetime {
        case ..<Self.steady: before + 1
        case ..<Self.proof: max(before, 1)
        default: 1
        }
    }

    /// Whether requests are to be refused meanwhile: there is no telling when the next one stays.
    package static func refuses(ends: Int, wasReady: Bool) -> Bool {
        ends >= (wasReady ? Self.loop : Self.hopeless)
    }

    package func delay(ends: Int, wasReady: Bool, jitter: Double = .random(in: 0.9...1.1)) -> Duration {
        let doublings = min(max(ends - 1, 0), 16)
        return min(self.initial * (1 << doublings), wasReady ? self.readyLimit : self.limit) * jitter
    }
}
