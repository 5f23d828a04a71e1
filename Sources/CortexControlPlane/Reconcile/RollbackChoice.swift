package import CortexSpec

/// Which deployment of an API a rollback goes to, decided from its history; does nothing itself.
enum RollbackChoice {
    /// - Parameters:
    ///   - target: A version's number or a deployment's id; nil asks for the one before.
    ///   - history: Of the API since it was created, newest first, `current` among it.
    static func record(
        _ target: String?,
        current: DeploymentRecord,
        history: [DeploymentRecord]
    ) throws(RollbackError) -> DeploymentRecord {
        let api = current.deployment.spec.name
        guard let target else { return try self.previous(of: current, history) }
        let found = history.first { $0.deployment.id == target || "\($0.deployment.version)" == target }
        guard let found else {
            throw .unknown(api, target, known: history.map(\.deployment.version))
        }
        guard found.deployment.id != current.deployment.id else { throw .current(api, found.deployment.version) }
        return found
    }

    /// The newest that has served and is not what is wanted already: a refresh or a rollback is the same once more.
    private static func previous(
        of current: DeploymentRecord,
        _ history: [DeploymentRecord]
    ) throws(RollbackError) -> DeploymentRecord {
        let earlier = history.filter { $0.deployment.version < current.deployment.version && $0.outcome == .live }
        let isUp = current.outcome == .live
        guard let found = earlier.first(where: { !isUp || $0.identity != current.identity }) else {
            throw .nothingBefore(current.deployment.spec.name)
        }
        return found
    }
}

/// Why an API cannot be rolled back so.
package enum RollbackError: Error, Hashable, CustomStringConvertible {
    case nothingBefore(APIName)
    /// - Parameter known: The versions there are, newest first.
    case unknown(APIName, String, known: [Int])
    case current(APIName, Int)
    /// - Parameter stored: The versions whose projects are there, newest first.
    case pruned(APIName, Int, stored: [Int])

    package var description: String {
        switch self {
        case .nothingBefore(let api): "\(api) has no other deployment that was ever live"
        case .unknown(let api, let text, let known):
            "\(api) has no deployment \(text.prefix(60)); its versions are \(Self.list(known))"
        case .current(let api, let version): "version \(version) of \(api) is the one that is wanted already"
        case .pruned(let api, let version, let stored):
            "the project of version \(version) of \(api) has been pruned; those of \(Self.list(stored)) are still there"
        }
    }

    private static func list(_ versions: [Int]) -> String {
        versions.prefix(10).map(String.init).joined(separator: ", ") + (versions.count > 10 ? ", …" : "")
    }
}
