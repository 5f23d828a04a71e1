import NIOCore
import Testing

@testable import CortexServing

@Suite struct DrainRateTests {
    private var rate = DrainRate()

    private func seconds(_ count: Int, slots: Int = 1, unfinished: TimeAmount = .zero) -> Int {
        self.rate.seconds(for: count, slots: slots, unfinished: unfinished)
    }

    @Test(
        arguments: [(1, 1, 1), (4, 1, 2), (5, 1, 3), (8, 2, 2), (100, 1, 50), (10_000, 1, 60), (8, 0, 4)]
    )
    mutating func `what is here is gone after its number times the mean, shared out among the slots`(
        count: Int,
        slots: Int,
        seconds: Int
    ) {
        for _ in 0..<40 { self.rate.record(.milliseconds(500)) }
        #expect(self.seconds(count, slots: slots) == seconds)
    }

    @Test(arguments: [(0, 1), (1_500, 12), (600_000, 60)] as [(Int64, Int)])
    func `before the first answer the oldest request tells how long they take at least`(
        milliseconds: Int64,
        seconds: Int
    ) {
        #expect(self.seconds(8, unfinished: .milliseconds(milliseconds)) == seconds)
    }

    @Test mutating func `a change is followed within a few dozen requests`() {
        for _ in 0..<100 { self.rate.record(.milliseconds(10)) }
        #expect(self.seconds(100) == 1)
        self.rate.record(.seconds(1))
        #expect(self.seconds(100) == 8, "one that is slow does not turn it over")
        for _ in 0..<64 { self.rate.record(.seconds(1)) }
        #expect(self.seconds(40) >= 38)
        for _ in 0..<200 { self.rate.record(.milliseconds(10)) }
        #expect(self.seconds(40) == 1)
    }

    @Test(arguments: [(10, 1), (1_000, 1), (1_001, 2), (29_000, 29), (3_600_000, 60), (-5_000, 1)] as [(Int64, Int)])
    func `a known instant is waited for, within bounds`(milliseconds: Int64, seconds: Int) {
        let now = second(100)
        #expect(DrainRate.seconds(until: now + .milliseconds(milliseconds), now: now) == seconds)
    }
}
