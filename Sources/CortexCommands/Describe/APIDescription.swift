import CortexControlPlane
import CortexSpec
import Foundation

/// The page of `cortex describe`, and what its `-o json` prints.
struct APIDescription: Encodable {
    var api: APIResponse
    var deployments: [DeploymentSummary]
    var events: [EventRecord]

    func render(bold: Bool, width: Int? = nil, now: Date = Date()) throws -> String {
        let heading = "\(self.api.spec.name) (\(self.api.spec.kind.rawValue))"
        var parts = [bold ? "\u{1B}[1m\(heading)\u{1B}[0m" : heading]
        parts.append(self.facts(bold: bold, width: width, now: now))
        if let targets = self.api.targets {
            parts.append(TargetTable(targets, now: now).render(bold: bold, width: width))
        }
        if let replicas = self.api.status.replicas {
            parts.append(Self.replicaTable(replicas, bold: bold, width: width))
        }
        if !self.deployments.isEmpty {
            parts.append(DeploymentTable(self.deployments, now: now).render(bold: bold, width: width))
        }
        if !self.events.isEmpty { parts.append(self.eventTable(bold: bold, width: width, now: now)) }
        parts.append(try APIConfiguration.text(of: self.api.spec))
        return parts.joined(separator: "\n\n")
    }

    private func facts(bold: Bool, width: Int?, now: Date) -> String {
        let status = self.api.status
        let requests = self.api.metrics.networkStatistics
        let code = bold ? APITable.colour(status.message) : nil
        var rows = [("status", code.map { "\u{1B}[\($0)m\(status.message)\u{1B}[0m" } ?? status.message)]
        if let reason = status.reason {
            rows.append(("reason", reason))
            if !self.isSplitter { rows.append(("logs", "cortex logs \(self.api.spec.name)")) }
        }
        if let progress = status.progress { rows.append(("progress", progress)) }
        rows.append(("endpoint", self.api.endpoint))
        rows.append(("version", self.versions))
        if !self.isSplitter { rows.append(("replicas", Self.replicas(status.replicaCounts))) }
        rows.append(
            (
                "requests",
                "\(requests.code2xx) 2XX, \(requests.code4xx) 4XX, \(requests.code5xx) 5XX since the server started"
            )
        )
        let deployment = self.api.deployment
        rows.append(("deployed", "\(Age(since: deployment.lastUpdated, now: now)) ago by \(deployment.deployedBy)"))
        let room = width.map { max(16, $0 - 10) }
        return rows.map { name, value in
            let label = name + String(repeating: " ", count: 10 - name.count)
            let lines = room.map { TextTable.broken(value, into: $0) } ?? [value]
            return label + lines.joined(separator: "\n" + String(repeating: " ", count: 10))
        }.joined(separator: "\n")
    }

    private var isSplitter: Bool { self.api.spec.kind == .trafficSplitter }

    private var versions: String {
        let wanted = self.api.deployment.version
        switch self.api.status.servingVersion {
        case nil: return "\(wanted) wanted, none serving"
        case wanted?: return "\(wanted)"
        case let serving?: return "\(serving) serving, \(wanted) wanted"
        }
    }

    private static func replicas(_ counts: ReplicaCounts) -> String {
        var text = "\(counts.ready) of \(counts.requested) up to date"
        if counts.stale > 0 { text += ", \(counts.stale) stale" }
        if counts.failed > 0 { text += ", \(counts.failed) failed" }
        return text
    }

    private static func replicaTable(_ replicas: [ReplicaObservation], bold: Bool, width: Int?) -> String {
        var table = TextTable([
            .init("replica"), .init("version"), .init("state"), .init("reason", hiddenWhenEmpty: true, empty: ""),
        ])
        for replica in replicas {
            let reason = replica.reason.map(FailureExcerpt.headline) ?? ""
            table.add([replica.name, "\(replica.version)", replica.state.rawValue, reason])
        }
        return table.render(bold: bold, width: width)
    }

    private func eventTable(bold: Bool, width: Int?, now: Date) -> String {
        var table = TextTable([.init("event"), .init("version"), .init("age"), .init("message")])
        for event in self.events.suffix(DeploymentTable.shown) {
            table.add([
                event.kind.replacingOccurrences(of: "_", with: " "), "\(event.version)",
                "\(Age(since: event.at, now: now))", FailureExcerpt.headline(of: event.message),
            ])
        }
        return table.render(bold: bold, width: width) + DeploymentTable.more(self.events.count, "events")
    }
}
