import Testing

@testable import CortexCommands

@Suite struct ServerStopTests {
    @Test(
        arguments: [
            ([], "what it holds"),
            ([("iris", 0)], "what it holds"),
            ([("iris", 1)], "1 request of iris"),
            ([("cats", 2), ("dogs", 0), ("iris", 1)], "2 requests of cats and 1 request of iris"),
            ([("a", 1), ("b", 1), ("c", 3)], "1 request of a, 1 request of b, and 3 requests of c"),
        ] as [([(String, Int)], String)]
    )
    func `it says what is waited for`(held: [(String, Int)], text: String) {
        #expect(ServerStop.text(of: held.map { (api: $0.0, count: $0.1) }) == text)
    }

    @Test func `requests in flight are read from the metrics`() {
        let metrics = """
            # HELP cortex_in_flight_requests Requests queued or running.
            # TYPE cortex_in_flight_requests gauge
            cortex_in_flight_requests{api="cats"} 2
            cortex_in_flight_requests{api="iris"} 0
            cortex_queued_requests{api="cats"} 7
            cortex_workers{api="cats",state="ready"} 1
            """
        let samples = OperatorClient.samples(of: "cortex_in_flight_requests", in: metrics)
        #expect(samples.map(\.api) == ["cats", "iris"])
        #expect(samples.map(\.count) == [2, 0])
    }

    @Test(arguments: [("0", 0), ("0s", 0), ("1h", 3600), ("90s", 90)])
    func `pauses are durations up to an hour`(text: String, seconds: Int) {
        #expect(Pause(argument: text)?.duration == .seconds(seconds))
    }

    @Test(arguments: ["", "-1s", "1", "61m", "soon"])
    func `what is no such duration is refused`(text: String) {
        #expect(Pause(argument: text) == nil)
    }
}
