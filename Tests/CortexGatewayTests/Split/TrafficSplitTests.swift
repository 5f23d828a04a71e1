import CortexSpec
import NIOCore
import NIOHTTP1
import Testing

@testable import CortexGateway

@Suite(.timeLimit(.minutes(1))) struct TrafficSplitTests {
    private struct Able: Upstream {
        func probe(_ responder: UpstreamResponder) {}
        func send(_ request: UpstreamRequest, to responder: UpstreamResponder) {}
        func cancel(_ number: UInt64) {}
        func setFlow(of number: UInt64, isOpen: Bool) {}
        func readiness() async -> UpstreamReadiness { .ready }
    }

    /// - Parameter targets: `a:90 b:10 c:20s`, where `s` is for the shadow.
    private static func spec(_ targets: String) throws -> TrafficSplitterSpec {
        let apis = try targets.split(separator: " ").map { text in
            let parts = text.split(separator: ":")
            return TrafficSplitterSpec.Target(
                name: try #require(APIName(String(parts[0]))),
                weight: try #require(Int(parts[1].filter(\.isNumber))),
                shadow: parts[1].hasSuffix("s")
            )
        }
        let name = try #require(APIName("split"))
        return TrafficSplitterSpec(name: name, networking: NetworkingSpec(endpoint: "/split"), apis: apis)
    }

    private static func counts(_ names: some Sequence<APIName?>) -> [String: Int] {
        names.reduce(into: [:]) { $0[$1?.description ?? "none", default: 0] += 1 }
    }

    @Test func `what has no weight and what is a shadow gets no request`() throws {
        let split = TrafficSplit(try Self.spec("a:70 b:30 parked:0 dark:50s"))
        #expect(split.targets.map(\.description) == ["a", "b"])
        #expect(Self.counts((0..<1000).map { _ in split.takeTurn() }) == ["a": 700, "b": 300])
    }

    @Test(arguments: [(0, nil), (1, 10), (33, 330), (100, 1000)] as [(Int, Int?)])
    func `copies are as many percent as the shadow's weight`(weight: Int, expected: Int?) throws {
        let split = TrafficSplit(try Self.spec("a:100 dark:\(weight)s"))
        let counts = Self.counts((0..<1000).map { _ in split.takeCopyTurn() })
        #expect(counts["dark"] == expected)
        #expect(counts["none", default: 0] + (expected ?? 0) == 1000)
    }

    @Test func `without a shadow nothing is copied`() throws {
        let split = TrafficSplit(try Self.spec("a:100"))
        #expect(Self.counts((0..<10).map { _ in split.takeCopyTurn() }) == ["none": 10])
    }

    @Test func `shares are exact over all threads`() async throws {
        let split = TrafficSplit(try Self.spec("a:61 b:27 c:12"))
        let taken = await withTaskGroup(of: [String: Int].self) { group in
            for _ in 0..<8 {
                group.addTask { Self.counts((0..<2500).map { _ in split.takeTurn() }) }
            }
            return await group.reduce(into: [String: Int]()) { $0.merge($1, uniquingKeysWith: +) }
        }
        #expect(taken == ["a": 12_200, "b": 5400, "c": 2400])
    }

    // MARK: Its route

    private static func route(_ name: String, _ split: TrafficSplit? = nil, keys: APIKeys? = nil) throws -> Route {
        Route(
            api: try #require(APIName(name)),
            version: 1,
            endpoint: "/\(name)",
            upstream: Able(),
            split: split,
            keys: keys,
            summary: { ByteBuffer() }
        )
    }

    @Test func `a request to a splitter becomes one to the API whose turn it is`() throws {
        let split = TrafficSplit(try Self.spec("a:50 b:50"))
        let routes = RouteTable([try Self.route("split", split), try Self.route("a"), try Self.route("b")])
        let led = try (0..<4).map { _ in
            let exchange = try Self.exchange("/split", routes)
            #expect(exchange.beLed(by: routes))
            #expect(exchange.splitter?.api.description == "split" && exchange.entrance === exchange.splitter)
            return exchange.route?.api.description
        }
        #expect(led == ["a", "b", "a", "b"])
    }

    @Test func `a request to an API stays there, and so does one whose API is not there`() throws {
        let split = TrafficSplit(try Self.spec("gone:100"))
        let routes = RouteTable([try Self.route("split", split), try Self.route("a")])
        for name in ["a", "split"] {
            let exchange = try Self.exchange("/\(name)", routes)
            #expect(!exchange.beLed(by: routes))
            #expect(exchange.route?.api.description == name && exchange.splitter == nil)
        }
    }

    private static func exchange(_ uri: String, _ routes: RouteTable) throws -> Exchange {
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: uri)
        let configuration = GatewayConfiguration(spoolDirectory: "/nonexistent")
        let exchange = Exchange(
            number: 1,
            id: "id",
            head: head,
            known: KnownHeaders(head.headers),
            arrival: .now(),
            keepAlive: true,
            body: BodyCollector(CollectedBody.Place(configuration, budget: ByteBudget(bytes: 0)))
        )
        exchange.target = routes.target(path: exchange.path, host: nil)
        return exchange
    }

    @Test func `it is ready once all are that get requests`() async throws {
        let split = TrafficSplit(try Self.spec("a:90 b:10 parked:0 dark:5s"))
        #expect(await SplitUpstream(split) { _ in .ready }.readiness() == .ready)
        let some = SplitUpstream(split) { api in
            switch api.description {
            case "a": .ready
            case "b": .notReady(reason: "it is starting", retryAfter: .seconds(3))
            default: .notReady(reason: "nobody asks")
            }
        }
        #expect(await some.readiness() == .notReady(reason: "b: it is starting", retryAfter: .seconds(3)))
    }
}
