import NIOHTTP1
import Testing

@testable import CortexGateway

struct APIKeysTests {
    private let keys = APIKeys(["first-key", "second-key"])

    private func verdict(of keys: APIKeys, _ headers: HTTPHeaders) -> APIKeys.Verdict {
        keys.verdict(on: headers, KnownHeaders(headers))
    }

    @Test(
        arguments: [
            ([("X-API-Key", "first-key")], .admitted),
            ([("x-api-key", "second-key")], .admitted),
            ([("Authorization", "Bearer second-key")], .admitted),
            ([("Authorization", "bearer  first-key")], .admitted),
            ([("Authorization", "Basic dXNlcjpwYXNz"), ("X-API-Key", "first-key")], .admitted),  // for the predictor
            ([], .refused),
            ([("X-API-Key", "")], .refused),
            ([("X-API-Key", "first-ke")], .refused),
            ([("X-API-Key", "first-keyy")], .refused),
            ([("X-API-Key", "FIRST-KEY")], .refused),
            ([("Authorization", "first-key")], .refused),
            ([("Authorization", "Basic first-key")], .refused),
            ([("Authorization", "Bearer")], .refused),
            ([("X-API-Key", "first-key"), ("X-API-Key", "first-key")], .refused),
            ([("Authorization", "Bearer first-key"), ("Authorization", "Bearer wrong")], .refused),
            ([("Authorization", "Bearer first-key"), ("X-API-Key", "wrong")], .refused),
            ([("X-API-Key", "first-key, second-key")], .refused),
        ] as [([(String, String)], APIKeys.Verdict)]
    )
    func `a key is in one of two headers, once`(headers: [(String, String)], expected: APIKeys.Verdict) {
        #expect(self.verdict(of: self.keys, HTTPHeaders(headers)) == expected)
    }

    @Test func `no keys, or none that can be read, let nobody in`() {
        let asked = HTTPHeaders([("X-API-Key", "")])
        #expect(self.verdict(of: APIKeys([]), asked) == .refused)
        #expect(self.verdict(of: APIKeys(nil), asked) == .unreadable)
    }

    @Test func `keys are replaced in place`() {
        let old = HTTPHeaders([("X-API-Key", "first-key")])
        let new = HTTPHeaders([("X-API-Key", "third-key")])
        #expect(!self.keys.replace(with: ["first-key", "second-key"]))
        #expect(self.keys.replace(with: ["third-key"]))
        #expect(self.verdict(of: self.keys, old) == .refused)
        #expect(self.verdict(of: self.keys, new) == .admitted)
        let unreadable = APIKeys(nil)
        #expect(unreadable.replace(with: ["third-key"]))
        #expect(self.verdict(of: unreadable, new) == .admitted)
    }
}
