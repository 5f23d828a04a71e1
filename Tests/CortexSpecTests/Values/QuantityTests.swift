import CortexSpec
import Testing

@Suite struct QuantityTests {
    @Test(
        arguments: [
            ("2147483648", 2_147_483_648), ("512Mi", 536_870_912), ("1G", 1_000_000_000), ("129e6", 129_000_000),
            ("0.5Gi", 536_870_912),
            ("1.5k", 1500), ("100m", 1), ("0", 0), ("1E3", 1000), ("1E", 1_000_000_000_000_000_000), ("+1Ki", 1024),
            ("-1", -1),
        ] as [(String, Int64)]
    )
    func `an amount of bytes is read`(text: String, bytes: Int64) {
        #expect(ByteCount(quantity: text) == ByteCount(bytes))
    }

    @Test(arguments: [
        "", "1gb", "1 G", "x", ".", "1..2", "1Gib", "99999999999999999999", "9E19", "16Ei", "1e", "--1", "1e-",
    ])
    func `what is no amount is refused`(text: String) {
        #expect(ByteCount(quantity: text) == nil)
    }

    @Test(
        arguments: [("200m", 200), ("1", 1000), ("0.5", 500), ("1.0001", 1001), ("2e0", 2000), ("1k", 1_000_000)]
            as [(String, Int64)]
    )
    func `a share of processors is read`(text: String, millicores: Int64) {
        #expect(CPUQuantity(quantity: text) == CPUQuantity(millicores: millicores))
    }

    @Test(
        arguments: [
            ("300ms", .milliseconds(300)), ("0.1s", .milliseconds(100)), ("1m30s", .seconds(90)),
            ("2h", .seconds(7200)), ("0", .zero),
            ("-1.5s", .milliseconds(-1500)), ("1us", .microseconds(1)), ("1µs", .microseconds(1)),
            (".5s", .milliseconds(500)),
        ] as [(String, Duration)]
    )
    func `a duration is read`(text: String, duration: Duration) {
        #expect(Duration(goText: text) == duration)
    }

    @Test(arguments: ["", "1", "1 min", "s", ".s", "1..2s", "1d", "1h-2m", "9999999h", "-", "1٣s"])
    func `what is no duration is refused`(text: String) {
        #expect(Duration(goText: text) == nil)
    }

    @Test(arguments: ["0s", "300ms", "1.5s", "1m30s", "2h0m0s", "1h0m0.25s", "250µs", "7ns", "-1.5s"])
    func `a duration is written as Go writes it`(text: String) {
        #expect(Duration(goText: text)?.goText == text)
    }

    @Test(arguments: [("25%", CountOrPercentage.percentage(25)), ("3", .count(3)), ("0%", .percentage(0))])
    func `an amount of replicas is read`(text: String, amount: CountOrPercentage) {
        #expect(CountOrPercentage(text) == amount)
        #expect(amount.description == text)
    }
}
