import CortexTelemetry
import Foundation
import Testing

@testable import CortexGateway

@Suite struct RequestIDGeneratorTests {
    @Test func `ids are UUIDs of version 7 and the variant of RFC 9562`() {
        var generator = RequestIDGenerator()
        let shape = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        for _ in 0..<200 {
            let id = generator.next()
            #expect(id.wholeMatch(of: shape) != nil, "\(id)")
            #expect(UUID(uuidString: id) != nil)
            #expect(RequestIDGenerator.isAcceptable(id))
        }
    }

    @Test func `an id begins with the time`() throws {
        var generator = RequestIDGenerator()
        let before = WallClock.milliseconds()
        let id = generator.next()
        let after = WallClock.milliseconds()
        let time = try #require(UInt64(id.replacing("-", with: "").prefix(12), radix: 16))
        #expect((before...after).contains(time))
    }

    @Test func `ids of one loop and of several never repeat`() {
        var generators = (0..<4).map { _ in RequestIDGenerator() }
        var seen: Set<String> = []
        for _ in 0..<25_000 {
            for index in generators.indices { seen.insert(generators[index].next()) }
        }
        #expect(seen.count == 100_000)
    }

    @Test(
        arguments: [
            ("a", true), ("Az09._-", true), (String(repeating: "x", count: 128), true), ("..", true),
            ("", false), (String(repeating: "x", count: 129), false), ("a b", false), ("a/b", false), ("a\nb", false),
            ("é", false), ("a\0", false), ("a,b", false), ("a;b", false), ("\u{FF21}", false),
        ]
    )
    func `a client's id is taken where it can do no harm`(id: String, isAcceptable: Bool) {
        #expect(RequestIDGenerator.isAcceptable(id) == isAcceptable)
    }
}
