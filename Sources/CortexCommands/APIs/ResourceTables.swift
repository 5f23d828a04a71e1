import CortexControlPlane
import CortexSpec
import Foundation

/// The tables of `cortex get`: one for each kind that is there.
struct ResourceTables {
    private let resources: [(environment: String?, api: APIResponse)]
    private let now: Date

    /// - Parameter resources: With the names of their environments, where those are to be told.
    init(_ resources: [(environment: String?, api: APIResponse)], now: Date = Date()) {
        self.resources = resources
        self.now = now
    }

    init(_ resources: [APIResponse], now: Date = Date()) {
        self.init(resources.map { (nil, $0) }, now: now)
    }

    func render(bold: Bool, width: Int? = nil) -> String {
        let (apis, splitters) = (self.all(.realtime), self.all(.trafficSplitter))
        var tables: [String] = []
        if !apis.isEmpty {
            tables.append(APITable(apis, named: true, now: self.now).render(bold: bold, width: width))
        }
        if !splitters.isEmpty {
            tables.append(SplitterTable(splitters, now: self.now).render(bold: bold, width: width))
        }
        return tables.joined(separator: "\n\n")
    }

    private func all(_ kind: APIKind) -> [(environment: String?, api: APIResponse)] {
        self.resources.filter { $0.api.spec.kind == kind }
    }
}
