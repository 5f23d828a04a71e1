#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Formats the wall clock for logs and HTTP, doing the calendar's work once a second.
///
/// Not shared: each event loop and each log has its own.
package struct WallClock {
    private var second: Int = -1
    private var isoPrefix = ""
    private var httpText = ""
    private var milliseconds = -1
    private var isoText = ""

    package init() {}

    /// The time for logs, as in `2026-11-21T10:46:45.123Z`.
    package mutating func timestamp() -> String {
        let (seconds, nanoseconds) = Self.now()
        self.refresh(seconds)
        let milliseconds = nanoseconds / 1_000_000
        // Under load there are many a millisecond.
        if milliseconds != self.milliseconds {
            self.milliseconds = milliseconds
            let padding = milliseconds < 10 ? "00" : milliseconds < 100 ? "0" : ""
            self.isoText = "\(self.isoPrefix).\(padding)\(milliseconds)Z"
        }
        return self.isoText
    }

    /// The time for HTTP, as in `Sat, 21 Nov 2026 10:46:45 GMT` (RFC 9110, section 5.6.7).
    package mutating func httpDate() -> String {
        self.refresh(Self.now().seconds)
        return self.httpText
    }

    /// Milliseconds since 1970.
    package static func milliseconds() -> UInt64 {
        let (seconds, nanoseconds) = Self.now()
        return UInt64(seconds) * 1000 + UInt64(nanoseconds / 1_000_000)
    }

    private static func now() -> (seconds: Int, nanoseconds: Int) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (time.tv_sec, time.tv_nsec)
    }

    private mutating func refresh(_ seconds: Int) {
        guard seconds != self.second else { return }
        self.second = seconds
        self.milliseconds = -1
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        let two = { (number: Int32) in number < 10 ? "0\(number)" : "\(number)" }
        let year = Int(parts.tm_year) + 1900
        let clock = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        self.isoPrefix = "\(year)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T\(clock)"
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let date = "\(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(year)"
        self.httpText = "\(days[Int(parts.tm_wday)]), \(date) \(clock) GMT"
    }
}
