import CortexControlPlane
import CortexSpec
import Foundation

/// What `cortex get API` shows of one API or splitter.
struct APIPage {
    private let api: APIResponse
    private let deployments: [DeploymentSummary]
    private let now: Date

    /// - Parameter deployments: Its history; of one alone there is nothing to tell.
    init(_ api: APIResponse, deployments: [DeploymentSummary], now: Date = Date()) {
        self.api = api
        self.deployments = deployments
        self.now = now
    }

    func render(bold: Bool, width: Int? = nil) throws -> String {
        var parts = [self.table(bold: bold, width: width)]
        if let reason = self.api.status.reason {
            let headline = "reason: \(FailureExcerpt.headline(of: reason))"
            parts.append(self.isSplitter ? headline : headline + "\nlogs: cortex logs \(self.api.spec.name)")
        }
        if self.isSplitter {
            parts.append("last updated: \(Age(since: self.api.deployment.lastUpdated, now: self.now)) ago")
        }
        let endpoint = self.api.endpoint
        parts.append(
            """
            endpoint: \(endpoint)
            example curl: curl \(endpoint) -X POST -H "Content-Type: application/json" -d @sample.json
            """
        )
        if let models = self.api.models {
            parts.append(ModelTable(models, now: self.now).render(bold: bold, width: width))
        }
        if let troubles = self.api.modelTroubles { parts.append(troubles.joined(separator: "\n")) }
        if self.deployments.count > 1 {
            parts.append(DeploymentTable(self.deployments, now: self.now).render(bold: bold, width: width))
        }
        parts.append(try APIConfiguration.text(of: self.api.spec))
        return parts.joined(separator: "\n\n")
    }

    private var isSplitter: Bool { self.api.spec.kind == .trafficSplitter }

    private func table(bold: Bool, width: Int?) -> String {
        guard let targets = self.api.targets else {
            return APITable([self.api], named: false, now: self.now).render(bold: bold, width: width)
        }
        let table = TargetTable(targets, now: self.now).render(bold: bold, width: width)
        guard self.api.status.code != .live else { return table }
        return "status: \(self.api.status.message)\n\n\(table)"
    }
}
