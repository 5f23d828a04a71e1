import CortexControlPlane
import CortexSpec

/// What a deploy prints: a line per API, and what to type next.
struct DeploySummary {
    private let results: [DeployResponse]

    init(_ results: [DeployResponse]) {
        self.results = results
    }

    var hasErrors: Bool { self.results.contains { !$0.error.isEmpty } }

    func print(on console: Console) {
        for result in self.results where result.error.isEmpty { console.print(result.message) }
        for result in self.results where !result.error.isEmpty { console.error(CommandFailure(result.error)) }
    }

    /// The commands that one wants next.
    /// - Parameters:
    ///   - environment: Named in them where it was named for the deploy.
    ///   - isInCluster: Whether curl on this machine may not reach what was deployed.
    func hints(environment: String?, isInCluster: Bool = false) -> String {
        let suffix = environment.map { " --env \($0)" } ?? ""
        let names = self.results.filter { $0.error.isEmpty }.compactMap { $0.api.map { "\($0.spec.name)" } }
        let name = names.count == 1 ? names.first ?? "<api_name>" : "<api_name>"
        var rows = [
            ("cortex get\(suffix)", "(show api statuses)"),
            ("cortex get \(name)\(suffix)", "(show api info)"),
        ]
        if self.results.contains(where: { $0.error.isEmpty && $0.api?.spec.kind == .realtime }) {
            rows.append(("cortex logs \(name)\(suffix)", "(show api logs)"))
        }
        if isInCluster { rows.append(("cortex predict \(name) FILE\(suffix)", "(send a file to it)")) }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 }.joined(separator: "\n")
    }
}
