import NIOCore
import Testing

@testable import CortexTelemetry

@Suite struct UserMetricsTests {
    private func message(
        counters: String = "",
        gauges: String = "",
        histograms: String = "",
        dropped: Int = 0
    ) -> ByteBuffer {
        let text =
            #"{"counters":[\#(counters)],"gauges":[\#(gauges)],"histograms":[\#(histograms)],"dropped":\#(dropped)}"#
        return ByteBuffer(string: text)
    }

    private func series(_ name: String, _ tags: (String, String)...) -> UserMetrics.Series {
        UserMetrics.Series(name: name, tags: tags.map { UserMetrics.Tag(name: $0.0, value: $0.1) })
    }

    @Test func `counters of several workers add up, whatever the order of their tags`() throws {
        let metrics = UserMetrics()
        try metrics.add(self.message(counters: #"["cars",{"a":"1","b":"2"},2]"#), from: "w-0")
        try metrics.add(self.message(counters: #"["cars",{"b":"2","a":"1"},0.5],["cars",{},1]"#), from: "w-1")
        metrics.ended("w-0")
        #expect(metrics.current.counters == [self.series("cars", ("a", "1"), ("b", "2")): 2.5, self.series("cars"): 1])
    }

    @Test func `a counter never falls`() throws {
        let metrics = UserMetrics()
        try metrics.add(self.message(counters: #"["cars",{},2],["cars",{},-5]"#), from: "w-0")
        #expect(metrics.current.counters.values.first == 2)
    }

    @Test func `a gauge is its worker's, and goes with it`() throws {
        let metrics = UserMetrics()
        try metrics.add(self.message(gauges: #"["level",{},1],["level",{},2]"#), from: "w-0")
        try metrics.add(self.message(gauges: #"["level",{},5]"#), from: "w-1")
        #expect(metrics.current.gauges == ["w-0": [self.series("level"): 2], "w-1": [self.series("level"): 5]])
        metrics.ended("w-0")
        #expect(metrics.current.gauges == ["w-1": [self.series("level"): 5]])
    }

    @Test func `histograms of several workers add up`() throws {
        let metrics = UserMetrics()
        var counts = [Int](repeating: 0, count: ValueHistogram.bounds.count + 1)
        counts[3] = 2
        for worker in ["w-0", "w-1"] {
            try metrics.add(self.message(histograms: #"["size",{},0.5,\#(counts)]"#), from: worker)
        }
        let histogram = try #require(metrics.current.histograms[self.series("size")])
        #expect(histogram.counts[3] == 4)
        #expect(histogram.sum == 1)
    }

    @Test func `a name has one kind`() throws {
        let metrics = UserMetrics()
        try metrics.add(self.message(counters: #"["a",{},1]"#, gauges: #"["a",{},1]"#), from: "w-0")
        #expect(metrics.current.gauges.isEmpty)
        #expect(metrics.current.dropped == 1)
    }

    @Test func `series are bounded, those that are there go on, and what was dropped is counted`() throws {
        let metrics = UserMetrics()
        for batch in 0..<12 {
            let entries = (0..<100).map { #"["a",{"id":"\#(batch)-\#($0)"},1]"# }.joined(separator: ",")
            try metrics.add(self.message(counters: entries, dropped: 1), from: "w-0")
        }
        try metrics.add(self.message(counters: #"["a",{"id":"0-0"},1]"#), from: "w-1")
        #expect(metrics.current.counters.count == UserMetrics.limit)
        #expect(metrics.current.counters[self.series("a", ("id", "0-0"))] == 2)
        #expect(metrics.current.dropped == 212)
    }

    @Test(arguments: ["", "{}", #"{"counters":[["a"]],"gauges":[],"histograms":[],"dropped":0}"#, "[1]"])
    func `a message that is none is refused whole`(text: String) {
        let metrics = UserMetrics()
        #expect(throws: (any Error).self) { try metrics.add(ByteBuffer(string: text), from: "w-0") }
        #expect(metrics.current.counters.isEmpty)
    }
}
