import CortexControlPlane
import CortexSpec
import Foundation
import Testing

@testable import CortexCommands

@Suite struct APITableTests {
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)

    /// As the operator answers; decoded, since that is how the command line gets it.
    private func api(
        _ name: String,
        age: TimeInterval,
        status: APIStatus = .live,
        replicas: ReplicaCounts = ReplicaCounts(requested: 1, ready: 1),
        requests: RequestStatistics = RequestStatistics()
    ) throws -> APIResponse {
        let spec = APISpec(
            name: try #require(APIName(name)),
            predictor: PredictorSpec(path: "predictor.py", config: ["labels": .array([.string("a"), .string("no")])]),
            networking: NetworkingSpec(endpoint: "/\(name)")
        )
        let encoder = StateJSON.encoder()
        func text(_ value: some Encodable) throws -> String {
            String(decoding: try encoder.encode(value), as: UTF8.self)
        }
        let updated = try text([Self.now.addingTimeInterval(-age)]).dropFirst().dropLast()
        let json = """
            {"spec": \(try text(spec)), "endpoint": "http://localhost:8888/\(name)",
             "status": {"status_code": "\(status.rawValue)", "message": "\(status.label)", "serving_version": 1,
                        "replica_counts": \(try text(replicas))},
             "metrics": {"network_stats": \(try text(requests))},
             "deployment": {"id": "1", "version": 1, "project": "p", "deployed_by": "local", "outcome": "live",
                            "last_updated": \(updated)}}
            """
        return try StateJSON.decoder().decode(APIResponse.self, from: Data(json.utf8))
    }

    @Test func `rows are sorted, and what is zero everywhere is hidden`() throws {
        let table = APITable(
            [
                try self.api("ocr", age: 35, status: .updating, replicas: ReplicaCounts(requested: 1)),
                try self.api(
                    "fraud-check",
                    age: 2 * 86400 + 60,
                    requests: RequestStatistics(code2xx: 90412, code4xx: 12, averageMilliseconds: 18.43121)
                ),
            ],
            named: true,
            now: Self.now
        )
        #expect(
            table.render(bold: false) == """
                realtime api   status     up-to-date   requested   last update   avg request   2XX     4XX
                fraud-check    live       1            1           2d            18.4312 ms    90412   12
                ocr            updating   0            1           35s           -             -       -
                """
        )
    }

    @Test func `an API without its name, with every column`() throws {
        let api = try self.api(
            "ocr",
            age: 47 * 3600,
            status: .rolloutFailed,
            replicas: ReplicaCounts(requested: 2, ready: 0, stale: 2, failed: 1),
            requests: RequestStatistics(code2xx: 77, code5xx: 1, averageMilliseconds: 1204.41)
        )
        #expect(
            APITable([api], named: false, now: Self.now).render(bold: false) == """
                status                             up-to-date   stale   requested   failed   last update   avg request   2XX   5XX
                error (previous version serving)   0            2       2           1        47h           1.20441 s     77    1
                """
        )
    }

    @Test func `the page of an API has its endpoint, a curl line and its configuration`() throws {
        let page = try APIPage(try self.api("iris", age: 90), now: Self.now).render(bold: false)
        #expect(page.contains("endpoint: http://localhost:8888/iris\n"))
        #expect(
            page.contains(
                #"curl http://localhost:8888/iris -X POST -H "Content-Type: application/json" -d @sample.json"#
            )
        )
        #expect(page.contains("  - name: iris\n    kind: RealtimeAPI\n"))
        #expect(page.contains("        labels:\n          - a\n          - \"no\"\n"))
    }

    @Test(arguments: [
        (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (172_799, "47h"), (172_800, "2d"), (-5, "0s"),
    ])
    func `ages have one unit`(seconds: TimeInterval, expected: String) {
        #expect(Age(since: Self.now.addingTimeInterval(-seconds), now: Self.now).description == expected)
    }
}
