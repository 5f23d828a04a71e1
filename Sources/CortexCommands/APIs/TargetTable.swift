import CortexControlPlane
import CortexSpec
import Foundation

/// What `cortex get SPLITTER` shows of the splitter's APIs: one row for each.
struct TargetTable {
    private var table: TextTable

    init(_ targets: [APIResponse.Target], now: Date = Date()) {
        self.table = TextTable([
            .init("apis"), .init("weights"), .init("status", style: APITable.colour), .init("requested", dropOrder: 3),
            .init("last update", dropOrder: 2), .init("avg request", dropOrder: 1), .init("2XX"), .init("5XX"),
        ])
        for target in targets {
            let requests = target.networkStatistics
            self.table.add([
                "\(target.name)", "\(target.weight)\(target.shadow ? " (shadow)" : "")", target.message,
                "\(target.requested)", target.lastUpdated.map { Age(since: $0, now: now).description } ?? "-",
                APITable.time(requests.averageMilliseconds), APITable.count(requests.code2xx),
                APITable.count(requests.code5xx),
            ])
        }
    }

    func render(bold: Bool, width: Int? = nil) -> String { self.table.render(bold: bold, width: width) }
}
