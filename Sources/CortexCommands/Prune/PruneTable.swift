import CortexControlPlane

/// What `cortex prune` prints: a row for each kind, the sum, and what stays in uv's cache.
struct PruneTable {
    private let report: PruneReport

    init(_ report: PruneReport) {
        self.report = report
    }

    func render(bold: Bool, width: Int? = nil) -> String {
        guard !self.report.items.isEmpty else { return "nothing to free" }
        var table = TextTable([
            TextTable.Column("what"), TextTable.Column("count"),
            TextTable.Column(self.report.isDryRun ? "would be freed" : "freed"),
        ])
        for item in self.report.items {
            table.add([Self.name(of: item.kind), "\(item.count)", ByteText(item.bytes).description])
        }
        table.add(["total", "", ByteText(self.report.bytes).description])
        return table.render(bold: bold, width: width) + self.cacheNote
    }

    /// Environments share their files with uv's cache, which makes the next build of one quick.
    private var cacheNote: String {
        guard self.report.cachedBytes > 0 else { return "" }
        let stays = self.report.isDryRun ? "would stay" : "stay"
        let command = self.report.cacheCommand.map { "; on the server's machine, \($0) frees what is there" } ?? ""
        return "\n\n\(ByteText(self.report.cachedBytes)) \(stays) in uv's cache\(command)"
    }

    private static func name(of kind: PruneItem.Kind) -> String {
        switch kind {
        case .environments: "environments"
        case .projects: "projects"
        case .buildLogs: "build logs"
        case .apiLogs: "logs of deleted APIs"
        case .models: "models"
        case .tools: "tools of earlier releases"
        case .versions: "leftover versions"
        case .leftovers: "half removed folders"
        }
    }
}
