import CortexTelemetry
import Testing

@Suite struct StatusCountsTests {
    @Test func `statuses are counted apart and told in their order`() {
        var counts = StatusCounts()
        for status in [503, 200, 200, 404, 200] { counts.add(status) }
        #expect(counts.sorted.map(\.status) == [200, 404, 503])
        #expect(counts.sorted.map(\.count) == [3, 1, 1])
        #expect(counts.count(in: 400..<600) == 2)
    }

    @Test func `counts of several loops add up`() {
        var left = StatusCounts()
        var right = StatusCounts()
        left.add(200, 2)
        right.add(200, 3)
        right.add(500)
        left += right
        #expect(left.sorted.map(\.count) == [5, 1])
    }

    @Test func `whatever a predictor answers, there are no more statuses than HTTP has`() {
        var counts = StatusCounts()
        for status in -10...70_000 { counts.add(status) }
        #expect(counts.sorted.count == 501)
    }
}
