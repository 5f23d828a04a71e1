package import CortexSpec
import Foundation

/// What binds splitters and the APIs that they lead requests to.
extension Reconciler {
    /// What is wrong with what the splitters of a request name, by splitter.
    package func targetProblems(of request: DeployRequest) async throws -> [APIName: [FieldProblem]] {
        let splitters = request.specs.compactMap(\.splitter)
        guard !splitters.isEmpty else { return [:] }
        var kinds: [APIName: APIKind] = [:]
        for record in try await self.store.allWanted() {
            kinds[record.deployment.spec.name] = record.deployment.spec.kind
        }
        // What the file would turn into another kind is refused for that.
        for spec in request.specs where kinds[spec.name] == nil { kinds[spec.name] = spec.kind }
        var problems: [APIName: [FieldProblem]] = [:]
        for splitter in splitters {
            let found = splitter.targetProblems(kinds: kinds)
            if !found.isEmpty { problems[splitter.name] = found }
        }
        return problems
    }

    /// Why a splitter cannot be deployed now; nil where it can, and for all that is none.
    func missingTargets(of spec: ResourceSpec) async throws -> DeployError? {
        guard let splitter = spec.splitter else { return nil }
        var missing: [APIName] = []
        for target in splitter.apis where try await self.store.wanted(target.name)?.deployment.spec.api == nil {
            missing.append(target.name)
        }
        return missing.isEmpty ? nil : .missingTargets(splitter.name, missing)
    }

    /// The splitters that lead requests to an API, as they are wanted or as they still serve, by name.
    func splitters(leadingTo api: APIName) async throws -> [APIName] {
        var users: [APIName] = []
        for record in try await self.store.allWanted() where record.deployment.spec.kind == .trafficSplitter {
            let name = record.deployment.spec.name
            let serving = record.outcome == .live ? nil : try await self.store.fallback(for: name)
            let specs = [record, serving].compactMap { $0?.deployment.spec.splitter }
            if specs.contains(where: { $0.apis.contains { $0.name == api } }) { users.append(name) }
        }
        return users
    }

    func targetUpdates(of spec: ResourceSpec) async throws -> [APIName: Date] {
        var updates: [APIName: Date] = [:]
        for target in spec.splitter?.apis ?? [] {
            updates[target.name] = try await self.store.wanted(target.name)?.createdAt
        }
        return updates
    }
}

extension TrafficSplitterSpec {
    /// What is wrong with what it names.
    /// - Parameter kinds: Of all that is deployed, or is to be deployed before it.
    func targetProblems(kinds: [APIName: APIKind]) -> [FieldProblem] {
        self.apis.enumerated().compactMap { index, target in
            let field = "apis[\(index)].name"
            switch kinds[target.name] {
            case .realtime: return nil
            case .trafficSplitter:
                return FieldProblem(
                    field: field,
                    message: "\(target.name) is a TrafficSplitter",
                    allowed: "it must be the name of a RealtimeAPI"
                )
            case nil:
                let names = kinds.filter { $0.value == .realtime }.keys.map(\.description).sorted()
                let nearest = Suggestion.nearest(to: target.name.description, among: names)
                return FieldProblem(
                    field: field,
                    message: "\(target.name) is neither deployed nor in this file",
                    allowed: nearest.map { "did you mean \($0)?" } ?? "deploy it first, or with the splitter"
                )
            }
        }
    }
}

extension DeploymentRecord {
    /// Resources that lead to others come after those.
    var rank: Int { self.deployment.spec.kind == .realtime ? 0 : 1 }
}

/// Why an API is not deleted.
package struct InUseError: Error, Hashable, CustomStringConvertible {
    package var api: APIName
    package var splitters: [APIName]

    package var description: String {
        let names = self.splitters.map(\.description)
        return "\(self.api) gets requests from the traffic splitter\(names.count == 1 ? "" : "s") "
            + names.joined(separator: ", ")
    }
}

/// What is asked of a resource cannot be had of its kind.
package struct KindError: Error, Hashable, CustomStringConvertible {
    package var name: APIName
    /// `a TrafficSplitter has no log of its own`.
    package var what: String
    /// What may be meant instead.
    package var commands: [String]

    package var description: String { "\(self.name) is a TrafficSplitter, which has \(self.what)" }

    /// - Parameters:
    ///   - command: Of the command line, for an API.
    ///   - what: What a splitter lacks for it.
    static func check(_ spec: ResourceSpec, for command: String, what: String) throws(KindError) {
        guard let splitter = spec.splitter else { return }
        throw KindError(
            name: splitter.name,
            what: what,
            commands: splitter.apis.map { "cortex \(command) \($0.name)" }
        )
    }
}
