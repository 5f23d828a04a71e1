import CortexControlPlane
import CortexSpec

extension LocalAPI {
    /// A version that there is something of: files, or replicas.
    struct VersionRecord {
        let version: LocalVersion
        var stage = Stage.preparing

        enum Stage {
            /// Its files, environment and models are brought here. Next: `open`, `hopeless`.
            case preparing
            /// Replicas of it can be started.
            case open(LocalVersion.Opening)
            /// They cannot.
            case hopeless
        }
    }

    /// One replica, as its API sees it.
    struct ReplicaRecord {
        /// Higher ones were started later.
        let id: Int
        let replica: LocalReplica
        var stage = Stage.starting
        /// Why it waits for devices.
        var wait: String?
        /// It has run to its end, and is remembered for why.
        var hasEnded = false

        enum Stage: Equatable {
            /// Next: `ready`, `failed`, `draining`.
            case starting
            /// It was let in, and all its workers are there. Next: `down`, `draining`.
            case ready
            /// It was let in, and some of its workers have ended; others are started. Next: `ready`, `failed`, `draining`.
            case down
            /// It did not come up; it may be tried again. Next: `ready`, `draining`.
            case failed(reason: String)
            case draining
        }

        var isAdmitted: Bool { self.stage == .ready || self.stage == .down }

        /// As a rollout is planned with it.
        func planned(isNew: Bool) -> RolloutPlan.Replica {
            let state: RolloutPlan.Replica.State =
                switch self.stage {
                case .starting: .starting
                case .ready: .ready
                case .down, .failed: .failed
                case .draining: .draining
                }
            return RolloutPlan.Replica(id: self.id, isNew: isNew, state: state)
        }
    }

    func record(_ id: Int) -> ReplicaRecord? { self.replicas.first { $0.id == id } }

    func note(_ stage: ReplicaRecord.Stage, _ id: Int) {
        guard let index = self.replicas.firstIndex(where: { $0.id == id }) else { return }
        // What drains comes to its end, whatever is still told of it.
        guard self.replicas[index].stage != .draining else { return }
        self.replicas[index].stage = stage
    }

    func note(wait: String?, _ id: Int) {
        guard let index = self.replicas.firstIndex(where: { $0.id == id }) else { return }
        self.replicas[index].wait = wait
    }

    func note(_ stage: VersionRecord.Stage, _ version: LocalVersion) {
        guard let index = self.versions.firstIndex(where: { $0.version === version }) else { return }
        self.versions[index].stage = stage
    }

    /// What replicas of a version are started from; nil where they cannot be.
    func opening(of version: LocalVersion) -> LocalVersion.Opening? {
        guard case .open(let opening)? = self.versions.first(where: { $0.version === version })?.stage else {
            return nil
        }
        return opening
    }

    /// The smallest number that no replica of a deployment has; its names would be the same otherwise.
    func freeNumber(of version: LocalVersion) -> Int {
        let taken = Set(
            self.replicas.lazy.filter { $0.replica.version.deployment.version == version.deployment.version }
                .map(\.replica.number)
        )
        return (0...taken.count).first { !taken.contains($0) } ?? taken.count
    }

    /// Whether a replica is of what is wanted: one that gets packages added is as new as the one that will have them.
    func isNew(_ version: LocalVersion) -> Bool {
        version === self.wanted || version === self.serving && self.missing.isExtension(self.wanted)
    }

    var replicaNames: [String] { self.replicas.map(\.replica.name) }

    func replicaNames(of version: LocalVersion) -> Set<String> {
        Set(self.replicas.lazy.filter { $0.replica.version === version }.map(\.replica.name))
    }
}
