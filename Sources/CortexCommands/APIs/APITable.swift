import CortexControlPlane
import CortexSpec
import Foundation

/// The table of `cortex get`.
struct APITable {
    private var table: TextTable
    private let isNamed: Bool

    /// - Parameter named: Whether a column has the APIs' names.
    init(_ apis: [APIResponse], named: Bool, now: Date = Date()) {
        self.isNamed = named
        var columns = [
            TextTable.Column("status"),
            TextTable.Column("up-to-date"),
            TextTable.Column("stale", hiddenWhenEmpty: true, empty: "0"),
            TextTable.Column("requested"),
            TextTable.Column("failed", hiddenWhenEmpty: true, empty: "0"),
            TextTable.Column("last update"),
            TextTable.Column("avg request"),
            TextTable.Column("2XX"),
            TextTable.Column("4XX", hiddenWhenEmpty: true),
            TextTable.Column("5XX", hiddenWhenEmpty: true),
        ]
        if named { columns.insert(TextTable.Column("realtime api"), at: 0) }
        self.table = TextTable(columns)
        for api in apis.sorted(by: { $0.spec.name < $1.spec.name }) {
            let replicas = api.status.replicaCounts
            let requests = api.metrics.networkStatistics
            let cells = [
                api.status.message, "\(replicas.ready)", "\(replicas.stale)", "\(replicas.requested)",
                "\(replicas.failed)", Age(since: api.deployment.lastUpdated, now: now).description,
                Self.time(requests.averageMilliseconds), Self.count(requests.code2xx), Self.count(requests.code4xx),
                Self.count(requests.code5xx),
            ]
            self.table.add(named ? ["\(api.spec.name)"] + cells : cells)
        }
    }

    func render(bold: Bool) -> String { self.table.render(bold: bold) }

    private static func count(_ number: Int) -> String { number == 0 ? "-" : "\(number)" }

    /// Six significant digits; seconds from 1000 ms on.
    private static func time(_ milliseconds: Double?) -> String {
        guard let milliseconds else { return "-" }
        return milliseconds < 1000
            ? String(format: "%.6g ms", milliseconds) : String(format: "%.6g s", milliseconds / 1000)
    }
}
