import CortexSpec
import NIOCore
import Testing

@testable import CortexGateway

@Suite struct RouteTableTests {
    private struct Nowhere: Upstream {
        func probe(_ responder: UpstreamResponder) {}
        func send(_ request: UpstreamRequest, to responder: UpstreamResponder) {}
        func cancel(_ number: UInt64) {}
        func setFlow(of number: UInt64, isOpen: Bool) {}
        func readiness() async -> UpstreamReadiness { .ready }
    }

    private let table: RouteTable
    /// One of whose APIs has the path by which all are called.
    private let crowded: RouteTable

    init() throws {
        self.table = RouteTable([
            try Self.route("iris", "/iris"), try Self.route("text", "/nlp/v1/text"), try Self.route("dot", "/a.b"),
        ])
        self.crowded = RouteTable([try Self.route("iris", "/iris"), try Self.route("greedy", "/predict")])
    }

    private static func route(_ name: String, _ endpoint: String) throws -> Route {
        Route(
            api: try #require(APIName(name)),
            version: 1,
            endpoint: endpoint,
            upstream: Nowhere(),
            summary: { ByteBuffer(string: "{}") }
        )
    }

    private func describe(_ target: RouteTable.Target) -> String {
        switch target {
        case .api(let route): "api \(route.api)"
        case .apiReadiness(let route): "readiness of \(route.api)"
        case .liveness: "liveness"
        case .readiness: "readiness"
        case .index: "index"
        case .nothing: "nothing"
        }
    }

    @Test(
        arguments: [
            ("/iris", nil, "api iris"), ("/iris/", nil, "api iris"), ("/iris//", nil, "nothing"),
            ("/iris/predict", nil, "api iris"), ("/iris/predict/", nil, "api iris"),
            ("/iris/readyz", nil, "readiness of iris"),
            ("/nlp/v1/text", nil, "api text"), ("/nlp/v1/text/predict", nil, "api text"), ("/nlp/v1", nil, "nothing"),
            ("/a.b", nil, "api dot"), ("/a%2Eb", nil, "nothing"), ("/Iris", nil, "nothing"), ("iris", nil, "nothing"),
            ("/iris/more", nil, "nothing"), ("/iris/../iris", nil, "nothing"), ("/v2/models/iris", nil, "nothing"),
            ("/livez", nil, "liveness"), ("/healthz/", nil, "liveness"), ("/ping", nil, "liveness"),
            ("/readyz", nil, "readiness"), ("/", nil, "index"), ("", nil, "nothing"), ("//", nil, "index"),
            ("/predict", nil, "nothing"), ("/predict", "api-iris", "api iris"),
            ("/predict/", "api-iris:8888", "api iris"),
            ("/", "api-iris:8888", "api iris"), ("/predict", "API-Iris:8888", "api iris"),
            ("/predict", "api-", "nothing"),
            ("/", "api-none", "index"), ("/predict", "iris", "nothing"),
            ("/predict", "api-iris.example.org", "nothing"), ("/livez", "api-iris", "liveness"),
            ("/nlp/v1/text", "api-iris", "api text"),
        ] as [(String, String?, String)]
    )
    func `a path and a host have one meaning`(path: String, host: String?, expected: String) {
        #expect(self.describe(self.table.target(path: path[...], host: host.map { $0[...] })) == expected)
    }

    @Test(
        arguments: [
            ("api-iris:8888", true, "api iris"), ("api-iris:8888", false, "api iris"),
            ("localhost", false, "api greedy"),
            // A machine may have such a name; to a predictor it is an API's.
            ("api-none:8888", false, "api greedy"), ("api-none:8888", true, "nothing"),
            ("127.88.0.1:8888", true, "api greedy"),
        ] as [(String, Bool, String)]
    )
    func `a host that names an API comes before a path that another has taken`(
        host: String,
        isChained: Bool,
        expected: String
    ) {
        let target = self.crowded.target(path: "/predict", host: host[...], isChained: isChained)
        #expect(self.describe(target) == expected)
    }

    @Test func `an empty table knows the health routes only`() {
        let table = RouteTable()
        #expect(table.isEmpty)
        #expect(self.describe(table.target(path: "/iris", host: "api-iris")) == "nothing")
        #expect(self.describe(table.target(path: "/livez", host: nil)) == "liveness")
        #expect(table.nearest(to: "/iris") == nil)
    }

    @Test(
        arguments: [
            ("/irsi", "/iris"), ("/iri", "/iris"), ("/nlp/v1/txt", "/nlp/v1/text"), ("/nlp/text", "/nlp/v1/text"),
            ("/something-else-altogether", nil),
        ] as [(String, String?)]
    )
    func `the nearest endpoint is named where one is near`(path: String, nearest: String?) {
        #expect(self.table.nearest(to: path) == nearest)
    }

    @Test func `a route that is put takes the place of the one of its API`() throws {
        var table = self.table
        table.put(try Self.route("iris", "/flowers"))
        #expect(self.describe(table.target(path: "/flowers", host: nil)) == "api iris")
        #expect(self.describe(table.target(path: "/iris", host: nil)) == "nothing")
        #expect(self.describe(table.target(path: "/predict", host: "api-iris")) == "api iris")
        table.remove(try #require(APIName("iris")))
        #expect(self.describe(table.target(path: "/flowers", host: nil)) == "nothing")
        #expect(self.describe(table.target(path: "/predict", host: "api-iris")) == "nothing")
        table.remove(try #require(APIName("iris")))
        #expect(table.routes.map { "\($0.api)" } == ["dot", "text"])
    }

    @Test func `APIs may change places, in whatever order that is told`() throws {
        var table = RouteTable([try Self.route("a", "/a"), try Self.route("b", "/b")])
        table.put(try Self.route("a", "/b"))
        table.put(try Self.route("b", "/a"))
        #expect(self.describe(table.target(path: "/a", host: nil)) == "api b")
        #expect(self.describe(table.target(path: "/b", host: nil)) == "api a")
        // The one that had it before has it again.
        table.put(try Self.route("c", "/a"))
        table.remove(try #require(APIName("c")))
        #expect(self.describe(table.target(path: "/a", host: nil)) == "api b")
    }

    @Test func `routes are listed by name`() {
        #expect(self.table.routes.map { "\($0.api)" } == ["dot", "iris", "text"])
    }
}
