import CortexTelemetry
import Foundation
import Testing

@Suite struct WallClockTests {
    private let formatter = DateFormatter()

    private func date(_ text: String, _ format: String) -> Date? {
        self.formatter.locale = Locale(identifier: "en_US_POSIX")
        self.formatter.timeZone = TimeZone(secondsFromGMT: 0)
        self.formatter.dateFormat = format
        return self.formatter.date(from: text)
    }

    @Test func `a log's time is that of now, in UTC, to the millisecond`() throws {
        var clock = WallClock()
        let shape = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/
        for _ in 0..<200 {
            let before = WallClock.milliseconds()
            let text = clock.timestamp()
            let after = WallClock.milliseconds()
            #expect(text.wholeMatch(of: shape) != nil)
            let date = try #require(self.date(text, "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"))
            let milliseconds = UInt64((date.timeIntervalSince1970 * 1000).rounded())
            #expect((before...after).contains(milliseconds), "\(text)")
        }
    }

    @Test func `HTTP's time is as RFC 9110 has it`() throws {
        var clock = WallClock()
        let before = WallClock.milliseconds() / 1000
        let text = clock.httpDate()
        let after = WallClock.milliseconds() / 1000
        let date = try #require(self.date(text, "EEE, dd MMM yyyy HH:mm:ss 'GMT'"))
        #expect((before...after).contains(UInt64(date.timeIntervalSince1970)))
        #expect(self.formatter.string(from: date) == text)
    }
}
