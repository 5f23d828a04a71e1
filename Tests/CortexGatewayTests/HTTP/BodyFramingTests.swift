import NIOCore
import NIOHTTP1
import Testing

@testable import CortexGateway

struct BodyFramingTests {
    private func begun() -> BodyFraming {
        let framing = BodyFraming()
        framing.saw(.head(HTTPRequestHead(version: .http1_1, method: .POST, uri: "/")))
        _ = framing.isTooMuch(of: 200)
        return framing
    }

    @Test func `Chunks of one byte are no excess`() {
        let framing = self.begun()
        for _ in 0..<100_000 {
            framing.saw(.body(ByteBuffer(bytes: [1])))
            #expect(!framing.isTooMuch(of: 6))
        }
    }

    @Test func `Bytes between chunks are bounded, however they are cut`() {
        for piece in [1, 1000, 65536] {
            let framing = self.begun()
            var sent = 0
            while !framing.isTooMuch(of: piece) { sent += piece }
            #expect(sent <= BodyFraming.limit, "\(piece)")
        }
    }

    @Test func `Long lines add up over chunks`() {
        let framing = self.begun()
        var chunks = 0
        repeat {
            chunks += 1
            framing.saw(.body(ByteBuffer(bytes: [1])))
        } while !framing.isTooMuch(of: 1000)
        #expect(chunks < 20)
    }

    @Test func `Heads count for nothing, and each body for itself`() {
        let framing = self.begun()
        for _ in 0..<100 {
            #expect(!framing.isTooMuch(of: 10_000))
            framing.saw(.end(nil))
            framing.saw(.head(HTTPRequestHead(version: .http1_1, method: .POST, uri: "/")))
            #expect(!framing.isTooMuch(of: 100_000))
        }
    }
}
