import CortexTelemetry
import NIOCore
import Testing

@Suite struct HistogramTests {
    @Test(
        arguments: [
            (.zero, 0), (.milliseconds(1), 0), (.nanoseconds(1_000_001), 1), (.milliseconds(5), 2),
            (.milliseconds(100), 6), (.seconds(1), 9), (.seconds(60), 14), (.nanoseconds(60_000_000_001), 15),
            (.hours(9), 15),
        ] as [(TimeAmount, Int)]
    )
    func `a duration counts under the first bound that it does not exceed`(duration: TimeAmount, index: Int) {
        var histogram = Histogram()
        histogram.record(duration)
        #expect(histogram.counts.firstIndex(of: 1) == index)
        #expect(histogram.count == 1)
        #expect(histogram.sum == duration.nanoseconds)
    }

    @Test func `a duration below zero counts as none`() {
        var histogram = Histogram()
        histogram.record(.milliseconds(-5))
        #expect(histogram.counts[0] == 1)
        #expect(histogram.sum == 0)
    }

    @Test func `histograms add up`() {
        var left = Histogram()
        var right = Histogram()
        left.record(.milliseconds(3))
        right.record(.milliseconds(3))
        right.record(.seconds(90))
        left += right
        #expect(left.counts[2] == 2)
        #expect(left.counts[15] == 1)
        #expect(left.sum == TimeAmount.milliseconds(90_006).nanoseconds)
    }

    @Test func `counters of several loops add up`() {
        var left = APICounters()
        var right = APICounters()
        left.answered(200, total: .milliseconds(2), queue: nil, predict: nil)
        right.answered(200, total: .milliseconds(2), queue: .milliseconds(1), predict: .milliseconds(1))
        right.answered(503, total: .milliseconds(1), queue: nil, predict: nil)
        right.wasShed(reason: "queue_full")
        right.wasCancelled(stage: "queued")
        left += right
        #expect(left.requests.sorted.map(\.status) == [200, 503])
        #expect(left.requests.sorted.map(\.count) == [2, 1])
        #expect(left.shed == ["queue_full": 1])
        #expect(left.cancelled == ["queued": 1])
        #expect(left.duration.count == 3)
        #expect(left.queue.count == 1)
        #expect(left.predict.count == 1)
    }
}
