import NIOHTTP1
import Testing

@testable import CortexGateway

@Suite struct KnownHeadersTests {
    private static let fields: [(String, @Sendable (KnownHeaders) -> KnownHeaders.Field)] = [
        ("host", { $0.host }), ("content-type", { $0.contentType }), ("content-length", { $0.contentLength }),
        ("content-encoding", { $0.contentEncoding }), ("transfer-encoding", { $0.transferEncoding }),
        ("expect", { $0.expect }), ("x-request-id", { $0.requestID }), ("x-request-timeout", { $0.requestTimeout }),
        ("traceparent", { $0.traceParent }), ("origin", { $0.origin }), ("x-api-key", { $0.apiKey }),
        ("authorization", { $0.authorization }),
    ]

    @Test func `each is found in any case, first and counted`() {
        for (name, field) in Self.fields {
            for spelled in [name, name.uppercased(), name.prefix(1).uppercased() + name.dropFirst()] {
                let headers = HTTPHeaders([("a", "b"), (spelled, "first"), (name, "second")])
                let found = field(KnownHeaders(headers))
                #expect(headers.first(found) == "first" && found.count == 2, "\(spelled)")
            }
        }
    }

    @Test func `what only looks like one is none`() {
        for (name, field) in Self.fields {
            // A letter more or less, the last replaced, and the bit that makes upper case of lower dropped from a hyphen.
            let others = [name + "s", String(name.dropLast()), name.dropLast() + "~", name.replacing("-", with: "\r")]
            for other in others where other != name {
                #expect(field(KnownHeaders(HTTPHeaders([(other, "value")]))).count == 0, "\(other.debugDescription)")
            }
        }
        #expect(!KnownHeaders(HTTPHeaders([("upgrades", "h2c"), ("upgradf", "h2c")])).hasUpgrade)
    }

    @Test(
        arguments: [
            ("7", 7), ("0", 0), ("", 0), ("seven", 0), ("9223372036854775807", .max), ("9223372036854775808", .max),
            ("18446744073709551615", .max), ("99999999999999999999", 0),
        ]
    )
    func `a length is announced`(text: String, length: Int) {
        #expect(KnownHeaders(HTTPHeaders([("Content-Length", text)])).announcedLength == length)
    }

    @Test func `nothing is found in nothing`() {
        let known = KnownHeaders(HTTPHeaders())
        #expect(Self.fields.allSatisfy { !$0.1(known).isThere })
        #expect(
            !known.hasUpgrade && !known.hasOuterBlanks && known.announcedLength == 0 && known.longest == 0
                && known.size == 0
        )
    }

    @Test func `the longest name or value is measured`() {
        let long = String(repeating: "x", count: 99)
        #expect(KnownHeaders(HTTPHeaders([("a", long), ("b", "c")])).longest == 99)
        #expect(KnownHeaders(HTTPHeaders([(long, "a"), ("Upgrade", "h2c"), ("Transfer-Encoding", "x")])).longest == 99)
        #expect(KnownHeaders(HTTPHeaders([("a", long), ("b", "c"), ("Upgrade", "h2c")])).size == 112)
    }

    @Test(arguments: [
        ("b", false), ("b c", false), ("", false), (" b", true), ("b ", true), ("b\t", true), (" ", true),
    ])
    func `blanks around a value are noticed`(value: String, isThere: Bool) {
        #expect(KnownHeaders(HTTPHeaders([("a", value), ("c", "d")])).hasOuterBlanks == isThere)
    }
}
