import CortexControlPlane
import CortexSpec

/// One splitter as it is wanted and as it serves; decides, and does nothing itself.
///
/// What is wanted serves once every API that is to get requests has been there; until then the deployment before it goes on.
struct SplitterView: Hashable, Sendable {
    /// How far the newest deployment has come.
    enum Stage: Hashable, Sendable {
        /// Some API of it has not come up yet. Next: `failed`, `done`.
        case waiting(reason: String)
        /// Some API of it could not be started. Next: `done`, if a later try succeeds.
        case failed(reason: String)
        case done
    }

    private(set) var wanted: SplitterDeployment
    private(set) var serving: SplitterDeployment?
    private(set) var stage = Stage.waiting(reason: "it is starting")

    init(wanted: SplitterDeployment, serving: SplitterDeployment?) {
        self.wanted = wanted
        self.serving = serving
    }

    /// Whether it has a route.
    var isServed: Bool { self.serving != nil }

    mutating func apply(_ deployment: SplitterDeployment, fallback: SplitterDeployment?) {
        self.wanted = deployment
        self.stage = .waiting(reason: "it is starting")
        // What has served under an earlier operator serves at once: its APIs say themselves when they are not there yet.
        guard self.serving == nil else { return }
        self.serving = deployment.wasLive ? deployment : fallback
        if self.serving?.id == deployment.id { self.stage = .done }
    }

    /// Looks whether what is wanted can serve; to be called whenever that may have changed.
    ///
    /// - Returns: What there is to tell, as kinds of events with their words.
    mutating func reconsider(_ targets: SplitterTargets) -> [(kind: ProviderEvent.Kind, message: String)] {
        guard self.wanted.id != self.serving?.id else { return [] }
        let former = self.stage
        switch targets.prospect {
        case .ready:
            self.serving = self.wanted
            self.stage = .done
            return [(.live, "live")]
        case .waiting(let reason):
            self.stage = .waiting(reason: reason)
            return former == self.stage ? [] : [(.progress, reason)]
        case .failed(let reason):
            self.stage = .failed(reason: reason)
            if case .failed = former { return [] }
            return [(.failed, reason)]
        }
    }

    func status(_ targets: SplitterTargets) -> (APIStatus, String?) {
        switch self.stage {
        case .waiting(let reason): (.updating, reason)
        case .failed(let reason): (self.serving == nil ? .error : .rolloutFailed, reason)
        case .done: targets.status
        }
    }

    /// - Parameter statistics: Of what was led to a target.
    func observation(
        _ targets: SplitterTargets,
        endpoint: String,
        statistics: (TrafficSplitterSpec.Target) -> RequestStatistics
    ) -> APIObservation {
        let (status, reason) = self.status(targets)
        return APIObservation(
            status: status,
            reason: reason,
            servingVersion: self.serving?.version,
            targets: targets.each.map { seen in
                TargetObservation(
                    target: seen.target,
                    status: seen.api?.status,
                    requested: seen.api?.replicas.requested ?? 0,
                    requests: statistics(seen.target)
                )
            },
            requests: targets.each.filter { !$0.target.shadow }.map { statistics($0.target) }
                .reduce(RequestStatistics()) { $0.adding($1) },
            endpoint: endpoint + self.wanted.spec.networking.endpoint
        )
    }
}

extension RequestStatistics {
    /// Both together.
    fileprivate func adding(_ other: Self) -> Self {
        let (mine, theirs) = (self.count, other.count)
        let total = (self.averageMilliseconds ?? 0) * Double(mine) + (other.averageMilliseconds ?? 0) * Double(theirs)
        return Self(
            code2xx: self.code2xx + other.code2xx,
            code4xx: self.code4xx + other.code4xx,
            code5xx: self.code5xx + other.code5xx,
            averageMilliseconds: mine + theirs > 0 ? total / Double(mine + theirs) : nil
        )
    }

    private var count: Int { self.code2xx + self.code4xx + self.code5xx }
}
