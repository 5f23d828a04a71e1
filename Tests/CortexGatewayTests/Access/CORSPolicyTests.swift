import NIOHTTP1
import Testing

@testable import CortexGateway

struct CORSPolicyTests {
    private func values(_ headers: [(name: String, value: String)], _ name: String) -> [String] {
        headers.filter { $0.name == name }.map(\.value)
    }

    @Test(
        arguments: [
            (["*"], "https://a.example", "*"),
            (["*"], "null", "*"),
            (["*"], nil, nil),
            (["https://a.example"], "https://a.example", "https://a.example"),
            (["https://A.example:443", "http://b.example:80"], "https://a.example", "https://a.example"),
            (["https://A.example:443", "http://b.example:80"], "http://b.example", "http://b.example"),
            (["https://a.example", "*"], "https://other.example", "*"),
            (["https://a.example"], "http://a.example", nil),  // another scheme
            (["https://a.example"], "https://a.example:8443", nil),  // another port
            (["https://a.example"], "https://a.example.evil.example", nil),
            (["https://a.example"], "null", nil),
            (["https://a.example"], nil, nil),
            ([], "https://a.example", nil),
        ] as [([String], String?, String?)]
    )
    func `an origin is let in as it is written`(allowed: [String], origin: String?, expected: String?) {
        let policy = CORSPolicy(allowedOrigins: allowed)
        let headers = policy.answerHeaders(to: origin)
        #expect(self.values(headers, "Access-Control-Allow-Origin") == [expected].compactMap(\.self))
        #expect(self.values(headers, "Vary") == (policy == .any ? [] : ["Origin"]))
        #expect(self.values(headers, "Access-Control-Allow-Credentials").isEmpty)
    }

    @Test func `a preflight repeats the headers that it asks for`() {
        let request = HTTPHeaders([
            ("Origin", "https://a.example"), ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization,x-tag"),
        ])
        let headers = CORSPolicy.any.preflightHeaders(for: request)
        #expect(self.values(headers, "Access-Control-Allow-Headers") == ["authorization, x-tag"])
        #expect(self.values(headers, "Access-Control-Allow-Methods") == ["GET, HEAD, POST"])
        let refused = CORSPolicy.only(["https://b.example"]).preflightHeaders(for: request)
        #expect(refused.map(\.name) == ["Allow"])
    }

    @Test func `what is no preflight is told the methods`() {
        let headers = CORSPolicy.any.preflightHeaders(for: HTTPHeaders([("Origin", "https://a.example")]))
        #expect(headers.map(\.name) == ["Allow"])
    }
}
