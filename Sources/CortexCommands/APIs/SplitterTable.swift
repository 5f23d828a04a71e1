import CortexControlPlane
import CortexSpec
import Foundation

/// The splitters in the tables of `cortex get`.
struct SplitterTable {
    /// Of the cell that names the APIs.
    private static let longest = 50

    private var table: TextTable

    /// - Parameter splitters: With the names of their environments, where those are to be told.
    init(_ splitters: [(environment: String?, api: APIResponse)], now: Date = Date()) {
        let hasEnvironments = splitters.contains { $0.environment != nil }
        var columns = [
            TextTable.Column("traffic splitter"),
            TextTable.Column(
                "status",
                hiddenWhenEmpty: true,
                empty: APIStatus.live.label,
                style: APITable.colour
            ),
            TextTable.Column("apis"),
            TextTable.Column("last update", dropOrder: 1),
        ]
        if hasEnvironments { columns.insert(TextTable.Column("env"), at: 0) }
        self.table = TextTable(columns)
        let sorted = splitters.sorted {
            ($0.environment ?? "", "\($0.api.spec.name)") < ($1.environment ?? "", "\($1.api.spec.name)")
        }
        for (environment, api) in sorted {
            var cells = [
                "\(api.spec.name)", api.status.message, Self.cell(api.spec.splitter?.apis ?? []),
                Age(since: api.deployment.lastUpdated, now: now).description,
            ]
            if hasEnvironments { cells.insert(environment ?? "", at: 0) }
            self.table.add(cells)
        }
    }

    func render(bold: Bool, width: Int? = nil) -> String { self.table.render(bold: bold, width: width) }

    /// `ocr-a:90 ocr-b:10`, cut where it is long.
    private static func cell(_ targets: [TrafficSplitterSpec.Target]) -> String {
        let text = targets.map { "\($0.name):\($0.weight)\($0.shadow ? " (shadow)" : "")" }.joined(separator: " ")
        return text.count <= Self.longest ? text : text.prefix(Self.longest) + " ..."
    }
}
