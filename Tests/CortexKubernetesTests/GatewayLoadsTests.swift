import CortexControlPlane
import CortexSpec
import Testing

@testable import CortexKubernetesProvider

struct GatewayLoadsTests {
    private func report(_ gateway: String, inFlight: Int, received: UInt64, waiting: Int = 0) -> GatewayReport {
        GatewayReport(
            gateway: gateway,
            apis: ["iris": .init(inFlight: inFlight, waiting: waiting, received: received, code2xx: Int(received))]
        )
    }

    @Test func `gateways are added up`() throws {
        let iris = try #require(APIName("iris"))
        var loads = GatewayLoads()
        _ = loads.take(self.report("a/1", inFlight: 3, received: 10), now: .zero)
        _ = loads.take(self.report("b/1", inFlight: 4, received: 20), now: .zero)
        #expect(loads.inFlight(of: iris) == 7)
        #expect(loads.received(of: iris) == 30)
        _ = loads.take(self.report("a/1", inFlight: 1, received: 15), now: .seconds(1))
        #expect(loads.inFlight(of: iris) == 5)
        #expect(loads.received(of: iris) == 35)
        #expect(loads.statistics(of: iris).code2xx == 35)
    }

    @Test func `one that is silent has nothing in flight, and is not counted twice when it is back`() throws {
        let iris = try #require(APIName("iris"))
        var loads = GatewayLoads()
        _ = loads.take(self.report("a/1", inFlight: 3, received: 10), now: .zero)
        loads.expire(now: .seconds(6))
        #expect(loads.inFlight(of: iris) == 0)
        _ = loads.take(self.report("a/1", inFlight: 2, received: 12), now: .seconds(10))
        #expect(loads.received(of: iris) == 12)
        // Another start of it counts from nothing.
        _ = loads.take(self.report("a/2", inFlight: 0, received: 5), now: .seconds(11))
        #expect(loads.received(of: iris) == 17)
    }

    @Test func `what a report leaves out has nothing in flight`() throws {
        let iris = try #require(APIName("iris"))
        var loads = GatewayLoads()
        _ = loads.take(self.report("a/1", inFlight: 3, received: 10), now: .zero)
        _ = loads.take(GatewayReport(gateway: "a/1", apis: [:]), now: .seconds(1))
        #expect(loads.inFlight(of: iris) == 0)
    }

    @Test func `who waits is told`() throws {
        let iris = try #require(APIName("iris"))
        var loads = GatewayLoads()
        #expect(loads.take(self.report("a/1", inFlight: 1, received: 1, waiting: 1), now: .zero) == [iris])
        #expect(loads.take(self.report("a/1", inFlight: 1, received: 1), now: .zero).isEmpty)
    }

    @Test func `what splitters lead to an API is counted apart from what it gets itself`() throws {
        let (split, iris) = (try #require(APIName("split")), try #require(APIName("iris")))
        var loads = GatewayLoads()
        let keys = [false, true].map { GatewayReport.key(split, iris, isShadow: $0) }
        let report = GatewayReport(
            gateway: "a/1",
            apis: ["iris": .init(received: 9), keys[0]: .init(received: 4, code2xx: 4), keys[1]: .init(code5xx: 2)]
        )
        #expect(loads.take(report, now: .zero).isEmpty)
        #expect(loads.received(of: iris) == 9)
        let target = TrafficSplitterSpec.Target(name: iris, weight: 100)
        #expect(loads.statistics(of: split, target).code2xx == 4)
        let shadow = TrafficSplitterSpec.Target(name: iris, weight: 100, shadow: true)
        #expect(loads.statistics(of: split, shadow).code5xx == 2)
        loads.forget(split)
        #expect(loads.statistics(of: split, target).code2xx == 0)
        #expect(loads.received(of: iris) == 9)
    }
}
