import NIOHTTP1
import Testing

@testable import CortexGateway

struct APIKeysTests {
    private let keys = APIKeys(["first-key", "second-key"])

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
        #expect(self.keys.verdict(on: KnownHeaders(HTTPHeaders(headers))) == expected)
    }

    @Test func `no keys, or none that can be read, let nobody in`() {
        let asked = KnownHeaders(HTTPHeaders([("X-API-Key", "")]))
        #expect(APIKeys([]).verdict(on: asked) == .refused)
        #expect(APIKeys(nil).verdict(on: asked) == .unreadable)
    }

    @Test func `keys are replaced in place`() {
        let old = KnownHeaders(HTTPHeaders([("X-API-Key", "first-key")]))
        let new = KnownHeaders(HTTPHeaders([("X-API-Key", "third-key")]))
        #expect(!self.keys.replace(with: ["first-key", "second-key"]))
        #expect(self.keys.replace(with: ["third-key"]))
        #expect(self.keys.verdict(on: old) == .refused)
        #expect(self.keys.verdict(on: new) == .admitted)
        let unreadable = APIKeys(nil)
        #expect(unreadable.replace(with: ["third-key"]))
        #expect(unreadable.verdict(on: new) == .admitted)
    }
}
