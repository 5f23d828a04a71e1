import CortexControlPlane
import CortexSpec
import Foundation
import Testing

@testable import CortexCommands

@Suite struct SplitterTableTests {
    private static let now = SampleAPI.now

    private static let targets = """
        [{"name": "ocr-a", "weight": 90, "shadow": false, "status_code": "status_live", "message": "live",
          "requested": 2, "last_updated": "2023-11-14T22:12:20Z",
          "network_stats": {"code_2xx": 900, "code_4xx": 1, "code_5xx": 0, "latency": 12.5}},
         {"name": "ocr-b", "weight": 10, "shadow": false, "status_code": "status_live", "message": "live",
          "requested": 1, "last_updated": "2023-11-14T22:12:20Z",
          "network_stats": {"code_2xx": 97, "code_4xx": 0, "code_5xx": 3, "latency": 1500}},
         {"name": "ocr-c", "weight": 25, "shadow": true, "status_code": "status_crash_loop",
          "message": "error (crash loop)", "requested": 1,
          "network_stats": {"code_2xx": 0, "code_4xx": 0, "code_5xx": 0}}]
        """

    private static func splitter(
        _ name: String,
        status: APIStatus = .live,
        reason: String? = nil,
        _ apis: [(String, Int, Bool)] = [("ocr-a", 90, false), ("ocr-b", 10, false), ("ocr-c", 25, true)]
    ) throws -> APIResponse {
        let spec = TrafficSplitterSpec(
            name: try #require(APIName(name)),
            networking: NetworkingSpec(endpoint: "/\(name)"),
            apis: try apis.map { .init(name: try #require(APIName($0.0)), weight: $0.1, shadow: $0.2) }
        )
        return try SampleAPI.make(.splitter(spec), age: 600, status: status, reason: reason, targets: Self.targets)
    }

    @Test func `each kind has a table of its own`() throws {
        let long = (0..<10).map { ("some-api-\($0)", 10, false) }
        let tables = ResourceTables(
            [
                try Self.splitter("ocr"), try SampleAPI.make("ocr-a", age: 90),
                try Self.splitter("many", status: .updating, long),
            ],
            now: Self.now
        )
        #expect(
            tables.render(bold: false) == """
                realtime api   status   up-to-date   requested   last update   avg request   2XX
                ocr-a          live     1            1           1m            -             -

                traffic splitter   status     apis                                                     last update
                many               updating   some-api-0:10 some-api-1:10 some-api-2:10 some-api ...   10m
                ocr                live       ocr-a:90 ocr-b:10 ocr-c:25 (shadow)                      10m
                """
        )
    }

    @Test func `where all are live, that is not said`() throws {
        #expect(
            ResourceTables([try Self.splitter("ocr")], now: Self.now).render(bold: false) == """
                traffic splitter   apis                                  last update
                ocr                ocr-a:90 ocr-b:10 ocr-c:25 (shadow)   10m
                """
        )
    }

    @Test func `its page has a row for each of its APIs`() throws {
        let page = try APIPage(try Self.splitter("ocr"), deployments: [], now: Self.now).render(bold: false)
        #expect(
            page == """
                apis    weights       status               requested   last update   avg request   2XX   5XX
                ocr-a   90            live                 2           1m            12.5 ms       900   -
                ocr-b   10            live                 1           1m            1.5 s         97    3
                ocr-c   25 (shadow)   error (crash loop)   1           -             -             -     -

                last updated: 10m ago

                endpoint: http://localhost:8888/ocr
                example curl: curl http://localhost:8888/ocr -X POST -H "Content-Type: application/json" -d @sample.json

                configuration
                  - name: ocr
                    kind: TrafficSplitter
                    apis:
                      - name: ocr-a
                        shadow: false
                        weight: 90
                      - name: ocr-b
                        shadow: false
                        weight: 10
                      - name: ocr-c
                        shadow: true
                        weight: 25
                    networking:
                      api_keys: []
                      cors:
                        allow_origins:
                          - "*"
                      endpoint: /ocr
                """
        )
        // It may be put into a `cortex.yaml` as it is.
        let text = page.components(separatedBy: "configuration\n").last ?? ""
        #expect(try ConfigFile.parse(text, fileName: "", project: { _ in .missing }).splitters.count == 1)
    }

    @Test func `what it waits for is told before all else`() throws {
        let splitter = try Self.splitter("ocr", status: .updating, reason: "waiting: ocr-b is updating")
        let page = try APIPage(splitter, deployments: [], now: Self.now).render(bold: false)
        #expect(page.hasPrefix("status: updating\n\napis "))
        #expect(page.contains("\n\nreason: waiting: ocr-b is updating\n\n"))
    }
}
