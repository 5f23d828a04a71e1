import NIOCore

/// How fast the requests that are here will be gone: what `Retry-After` says.
///
/// Each slot is watched for how long one request occupies it, from the moment it could begin until the slot is free for the
/// next. The mean is smoothed as TCP smooths round trips (RFC 6298, 2.3), with a weight of 1/16, in whole nanoseconds:
///
///     mean += (sample − mean) / 16
///
/// so that `n` requests are gone after `n × mean / slots`. Completions a second would be simpler to count, and wrong: while
/// there is little to do they tell how fast requests come, not how fast they could go.
struct DrainRate {
    /// No client is sent away for longer: by then other instances of it may have finished, or workers been added.
    static let longestWait = 60

    /// Nanoseconds; nil before the first.
    private var mean: Int64?

    mutating func record(_ occupied: TimeAmount) {
        guard let mean = self.mean else {
            self.mean = occupied.nanoseconds
            return
        }
        self.mean = mean + (occupied.nanoseconds - mean) / 16
    }

    /// Whole seconds, 1 to 60, after which `count` requests have been answered.
    /// - Parameter unfinished: How long the oldest request has run: all that there is to go by before the first answer.
    func seconds(for count: Int, slots: Int, unfinished: TimeAmount) -> Int {
        let each = Double(self.mean ?? unfinished.nanoseconds)
        return Self.wholeSeconds(each * Double(count) / Double(max(slots, 1)))
    }

    /// Whole seconds, 1 to 60, until `instant`.
    static func seconds(until instant: NIODeadline, now: NIODeadline) -> Int {
        self.wholeSeconds(Double((instant - now).nanoseconds))
    }

    private static func wholeSeconds(_ nanoseconds: Double) -> Int {
        Int(min(max((nanoseconds / 1e9).rounded(.up), 1), Double(self.longestWait)))
    }
}
