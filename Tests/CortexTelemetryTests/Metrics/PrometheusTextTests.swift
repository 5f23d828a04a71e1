import CortexTelemetry
import NIOCore
import Testing

@Suite struct PrometheusTextTests {
    @Test func `a family has its help, its type and its samples`() {
        var text = PrometheusText()
        text.family("cortex_workers", .gauge, "Worker processes.")
        text.sample("cortex_workers", [("api", "iris"), ("state", "ready")], 2)
        text.sample("cortex_up", [], 1.5)
        let expected = """
            # HELP cortex_workers Worker processes.
            # TYPE cortex_workers gauge
            cortex_workers{api="iris",state="ready"} 2
            cortex_up 1.5

            """
        #expect(text.text == expected)
    }

    @Test(
        arguments: [
            ("plain", "plain"), (#"a"b"#, #"a\"b"#), (#"a\b"#, #"a\\b"#), ("a\nb", #"a\nb"#), ("a\r\nb", "a\r\\nb"),
            ("\"\u{301}", "\\\"\u{301}"), ("é", "é"),
        ]
    )
    func `a label's value ends neither its quotes nor its line`(value: String, escaped: String) {
        var text = PrometheusText()
        text.sample("m", [("l", value)], 1)
        #expect(text.text.utf8.elementsEqual("m{l=\"\(escaped)\"} 1\n".utf8))
    }

    @Test func `the buckets of a histogram are cumulated`() {
        var histogram = Histogram()
        histogram.record(.milliseconds(1))
        histogram.record(.milliseconds(2))
        histogram.record(.seconds(100))
        var text = PrometheusText()
        text.histogram("d", [("api", "a")], histogram)
        let lines = text.text.split(separator: "\n")
        #expect(lines.first == #"d_bucket{api="a",le="0.001"} 1"#)
        #expect(lines.contains(#"d_bucket{api="a",le="0.0025"} 2"#))
        #expect(lines.contains(#"d_bucket{api="a",le="60"} 2"#))
        #expect(
            lines.suffix(3) == [#"d_bucket{api="a",le="+Inf"} 3"#, #"d_sum{api="a"} 100.003"#, #"d_count{api="a"} 3"#]
        )
    }
}
