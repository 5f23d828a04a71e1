import NIOCore
import Testing

@testable import CortexGateway

@Suite struct HeadMeasureTests {
    private static var configuration: GatewayConfiguration {
        var configuration = GatewayConfiguration(spoolDirectory: "/s")
        configuration.maximumHeaders = 3
        configuration.maximumHeaderSize = 10
        configuration.maximumHeadSize = 30
        return configuration
    }

    private func limit(_ pieces: [String]) -> HeaderLimit {
        var measure = HeadMeasure()
        for piece in pieces.dropLast() { measure.read(ByteBuffer(string: piece).readableBytesView) }
        return measure.limit(passedWith: ByteBuffer(string: pieces.last ?? "").readableBytesView, Self.configuration)
    }

    @Test(
        arguments: [
            (["POST / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n"], .count(3)),
            (["POST / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: ", "3\r\nD: 4"], .count(3)),
            (["POST / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: ", "3\r\nD: 4\r\n", ""], .count(3)),
            (["POST / HTTP/1.1\r\nA: 12345678901\r\n"], .size(10)),
            (["POST / HTTP/1.1\r\nA: ", "12345678901"], .size(10)),
            (["POST / HTTP/1.1\r\nA2345678901: 1"], .size(10)),
            (["POST / HTTP/1.1\r\nA23456789: 1234567890\r\nB23456789: 1234567890\r\n"], .head(30)),
            // What was asked before on the same connection counts for itself.
            (["GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\nGET / HTTP/1.1\r\nA23456789: 1234567890\r\n"], .head(30)),
            (["/path HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n"], .head(30)),
        ] as [([String], HeaderLimit)]
    )
    func `the limit that was passed is told`(pieces: [String], expected: HeaderLimit) {
        #expect(self.limit(pieces) == expected)
    }
}
