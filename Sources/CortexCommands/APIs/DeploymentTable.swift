import CortexControlPlane
import Foundation

/// The deployments of an API, newest first.
struct DeploymentTable {
    /// As many lines as are shown; `-o json` of `cortex describe` has all.
    static let shown = 10

    private let deployments: [DeploymentSummary]
    private let now: Date

    init(_ deployments: [DeploymentSummary], now: Date = Date()) {
        self.deployments = deployments.sorted { $0.version > $1.version }
        self.now = now
    }

    func render(bold: Bool, width: Int? = nil) -> String {
        var table = TextTable([
            .init("deployment"), .init("outcome"), .init("age"), .init("by", dropOrder: 2),
            .init("project", dropOrder: 1), .init("reason", hiddenWhenEmpty: true, empty: ""),
        ])
        for deployment in self.deployments.prefix(Self.shown) {
            table.add([
                "\(deployment.version)", deployment.outcome, "\(Age(since: deployment.lastUpdated, now: self.now))",
                deployment.deployedBy, String(deployment.project.prefix(8)),
                deployment.reason.map(FailureExcerpt.headline) ?? "",
            ])
        }
        return table.render(bold: bold, width: width) + Self.more(self.deployments.count, "deployments")
    }

    static func more(_ count: Int, _ what: String) -> String {
        count > Self.shown ? "\n(the last \(Self.shown) of \(count) \(what); all of them with -o json)" : ""
    }
}
