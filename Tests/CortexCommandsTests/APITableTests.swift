import CortexControlPlane
import CortexSpec
import Foundation
import Testing

@testable import CortexCommands

@Suite struct APITableTests {
    private static let now = SampleAPI.now

    @Test func `rows are sorted, and what is zero everywhere is hidden`() throws {
        let table = APITable(
            [
                try SampleAPI.make("ocr", age: 35, status: .updating, replicas: ReplicaCounts(requested: 1)),
                try SampleAPI.make(
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
        let api = try SampleAPI.make(
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

    @Test func `a terminal of 80 columns gets the most that fits`() throws {
        let table = APITable(
            [
                try SampleAPI.make(
                    "image-classifier",
                    age: 90,
                    requests: RequestStatistics(code2xx: 1234, code5xx: 2, averageMilliseconds: 18.43121)
                ),
                try SampleAPI.make(
                    "ocr",
                    age: 35,
                    status: .rolloutFailed,
                    replicas: ReplicaCounts(requested: 1, stale: 1)
                ),
            ],
            named: true,
            now: Self.now
        )
        #expect(
            table.render(bold: false, width: 80) == """
                realtime api      status                            up-to-date  stale  2XX   5XX
                image-classifier  live                              1           0      1234  2
                ocr               error (previous version serving)  0           1      -     -
                """
        )
    }

    @Test func `a narrow terminal never loses status and requests`() throws {
        let failed = ReplicaCounts(requested: 1, ready: 0, stale: 1, failed: 1)
        let requests = RequestStatistics(code2xx: 7, code4xx: 1, code5xx: 2, averageMilliseconds: 1)
        let api = try SampleAPI.make("hello", age: 35, status: .rolloutFailed, replicas: failed, requests: requests)
        let table = APITable([api], named: true, now: Self.now)
        #expect(
            table.render(bold: false, width: 80) == """
                realtime api  status                            up-to-date  2XX  4XX  5XX
                hello         error (previous version serving)  0           7    1    2
                """
        )
    }

    @Test func `several environments are told apart`() throws {
        let table = APITable(
            [("prod", try SampleAPI.make("a", age: 90)), ("local", try SampleAPI.make("b", age: 5))],
            named: true,
            now: Self.now
        )
        #expect(
            table.render(bold: false) == """
                env     realtime api   status   up-to-date   requested   last update   avg request   2XX
                local   b              live     1            1           5s            -             -
                prod    a              live     1            1           1m            -             -
                """
        )
    }

    @Test func `the page of an API has its endpoint, a curl line and its configuration`() throws {
        let page = try APIPage(try SampleAPI.make("iris", age: 90), deployments: [], now: Self.now).render(bold: false)
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
