import NIOCore
import NIOHTTP1
import Testing

@testable import CortexGateway

@Suite struct RequestTimeoutTests {
    private static let limit = TimeAmount.seconds(300)

    private func wanted(_ values: String...) throws(GatewayError) -> TimeAmount? {
        let headers = HTTPHeaders([("host", "a")] + values.map { ("X-Request-Timeout", $0) })
        return try RequestTimeout.wanted(by: KnownHeaders(headers).requestTimeout, of: headers, limit: Self.limit)
    }

    @Test func `who asks for nothing gets nothing`() throws {
        #expect(try self.wanted() == nil)
    }

    @Test(
        arguments: [
            ("2", .seconds(2)), ("1.5", .milliseconds(1_500)), (".5", .milliseconds(500)), ("0.001", .milliseconds(1)),
            ("500ms", .milliseconds(500)), ("2s", .seconds(2)), ("1m30s", .seconds(90)), ("0.5m", .seconds(30)),
            ("250us", .microseconds(250)), ("250µs", .microseconds(250)), ("7ns", .nanoseconds(7)),
            ("1s500ms", .milliseconds(1_500)), ("00010", .seconds(10)),
        ] as [(String, TimeAmount)]
    )
    func `seconds and durations are read`(text: String, amount: TimeAmount) throws {
        #expect(try self.wanted(text) == amount)
    }

    @Test(
        arguments: [
            "300", "301", "5m", "5m1s", "1h", "2562048h", "99999999999999999999999999999999",
            "9999999999999999999999999999999h",
        ]
    )
    func `nobody gets more than the API gives`(text: String) throws {
        #expect(try self.wanted(text) == Self.limit)
    }

    @Test(
        arguments: [
            "", "0", "0.0", "0s", "0h0m", "-1", "-1s", "+1", "NaN", "nan", "inf", "Infinity", "1e3", "0x10", "1_000",
            "1,5", "1.2.3", ".", "s", "1 s", "1s 2", "1s2", "1d", "1S", "s1", "0.0000000001", "abc", "5 minutes",
            "\u{661}", "1\u{301}", "1s\u{0}", String(repeating: "9", count: 33), String(repeating: "1s", count: 5000),
        ]
    )
    func `what is no time above 0 is refused, and what is allowed is said`(text: String) throws {
        let error = try #require(throws: GatewayError.self) { try self.wanted(text) }
        let response = error.response
        #expect(response.status == 400)
        #expect(response.message.hasPrefix("X-Request-Timeout is \""))
        #expect(response.message.hasSuffix(RequestTimeout.allowed))
        #expect(response.message.utf8.count < 200)
        #expect(response.message.unicodeScalars.allSatisfy { $0 >= " " })
    }

    @Test func `two wishes are none`() throws {
        let error = try #require(throws: GatewayError.self) { try self.wanted("1", "2") }
        #expect(error.response.status == 400)
        #expect(error.response.message.contains("X-Request-Timeout"))
    }
}
