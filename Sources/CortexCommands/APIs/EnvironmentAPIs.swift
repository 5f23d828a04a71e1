import CortexControlPlane

/// What is deployed in one environment, or why that is not known.
struct EnvironmentAPIs: Encodable, Sendable {
    var environment: String
    var apis: [APIResponse]
    /// Empty where `apis` is all there is.
    var error: String

    private enum CodingKeys: String, CodingKey {
        case apis, error
        case environment = "env_name"
    }

    /// Asks the operator of an environment; never throws, since the others' answers count as well.
    static func ask(_ target: OperatorTarget) async -> EnvironmentAPIs {
        let name = "\(target.name)"
        do {
            return EnvironmentAPIs(environment: name, apis: try await target.connect().apis(), error: "")
        } catch let failure as CommandFailure {
            return EnvironmentAPIs(environment: name, apis: [], error: failure.message)
        } catch {
            return EnvironmentAPIs(environment: name, apis: [], error: "\(ConnectionFailure(error))")
        }
    }

    /// Asks all of them at the same time; answers are in the order of the targets.
    static func ask(_ targets: [OperatorTarget]) async -> [EnvironmentAPIs] {
        await withTaskGroup(of: (Int, EnvironmentAPIs).self) { group in
            for (index, target) in targets.enumerated() {
                group.addTask { (index, await Self.ask(target)) }
            }
            var answers: [(Int, EnvironmentAPIs)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
