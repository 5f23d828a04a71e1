import CortexControlPlane
import CortexSpec
import Foundation

/// The APIs in the tables of `cortex get`.
struct APITable {
    private var table: TextTable

    /// - Parameters:
    ///   - apis: With the names of their environments, where those are to be told.
    ///   - named: Whether a column has the APIs' names.
    init(_ apis: [(environment: String?, api: APIResponse)], named: Bool, now: Date = Date()) {
        let hasEnvironments = apis.contains { $0.environment != nil }
        var columns = [
            TextTable.Column("status", style: Self.colour),
            TextTable.Column("up-to-date"),
            TextTable.Column("stale", hiddenWhenEmpty: true, empty: "0", dropOrder: 4),
            TextTable.Column("requested", dropOrder: 3),
            TextTable.Column("failed", hiddenWhenEmpty: true, empty: "0", dropOrder: 5),
            TextTable.Column("last update", dropOrder: 2),
            TextTable.Column("avg request", dropOrder: 1),
            TextTable.Column("2XX"),
            TextTable.Column("4XX", hiddenWhenEmpty: true),
            TextTable.Column("5XX", hiddenWhenEmpty: true),
        ]
        if named { columns.insert(TextTable.Column("realtime api"), at: 0) }
        if hasEnvironments { columns.insert(TextTable.Column("env"), at: 0) }
        self.table = TextTable(columns)
        let sorted = apis.sorted {
            ($0.environment ?? "", "\($0.api.spec.name)") < ($1.environment ?? "", "\($1.api.spec.name)")
        }
        for (environment, api) in sorted {
            let replicas = api.status.replicaCounts
            let requests = api.metrics.networkStatistics
            var cells = [
                api.status.message, "\(replicas.ready)", "\(replicas.stale)", "\(replicas.requested)",
                "\(replicas.failed)", Age(since: api.deployment.lastUpdated, now: now).description,
                Self.time(requests.averageMilliseconds), Self.count(requests.code2xx), Self.count(requests.code4xx),
                Self.count(requests.code5xx),
            ]
            if named { cells.insert("\(api.spec.name)", at: 0) }
            if hasEnvironments { cells.insert(environment ?? "", at: 0) }
            self.table.add(cells)
        }
    }

    init(_ apis: [APIResponse], named: Bool, now: Date = Date()) {
        self.init(apis.map { (nil, $0) }, named: named, now: now)
    }

    func render(bold: Bool, width: Int? = nil) -> String { self.table.render(bold: bold, width: width) }

    /// Green for what serves, yellow for what is on its way, red for what does not.
    static let colour: @Sendable (String) -> String? = { status in
        switch status {
        case APIStatus.live.label: "32"
        case APIStatus.updating.label: "33"
        default: "31"
        }
    }

    static func count(_ number: Int) -> String { number == 0 ? "-" : "\(number)" }

    /// Six significant digits; seconds from 1000 ms on.
    static func time(_ milliseconds: Double?) -> String {
        guard let milliseconds else { return "-" }
        return milliseconds < 1000
            ? String(format: "%.6g ms", milliseconds) : String(format: "%.6g s", milliseconds / 1000)
    }
}
