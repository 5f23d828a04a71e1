import NIOCore
import Testing

@testable import CortexGateway

@Suite struct BodyPaceTests {
    private static let configuration: GatewayConfiguration = {
        var configuration = GatewayConfiguration(spoolDirectory: "/nowhere")
        configuration.minimumUploadRate = 100
        configuration.rateWindow = .seconds(10)
        return configuration
    }()

    @Test(arguments: [(0, false), (9, false), (11, true), (1000, true)])
    func `a window must have passed`(seconds: Int64, isTooSlow: Bool) {
        var pace = BodyPace()
        let found = pace.isTooSlow(received: 1, Self.configuration, begun: .now() - .seconds(seconds))
        #expect(found == isTooSlow)
    }

    @Test func `what is fast enough goes on, and each window counts for itself`() {
        var pace = BodyPace()
        let first = pace.isTooSlow(received: 1 << 30, Self.configuration, begun: .now() - .seconds(20))
        #expect(!first)
        // The next window has just begun.
        let second = pace.isTooSlow(received: 1 << 30 + 1, Self.configuration, begun: .now() - .seconds(20))
        #expect(!second)
    }
}
