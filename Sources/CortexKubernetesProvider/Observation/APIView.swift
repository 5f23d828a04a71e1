import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Foundation

/// One API as it is wanted and as its pods are; decides what it is called, and does nothing itself.
struct APIView: Sendable {
    /// How far the newest version has come.
    enum Rollout: Hashable, Sendable {
        /// Next: `failed`, `done`.
        case running
        /// It does not come up; the version before, if there is one, serves on. Next: `done`, where a later start succeeds.
        case failed(reason: String, isOutOfMemory: Bool)
        /// As many replicas of it as there have to be have been ready.
        case done
    }

    var wanted: Deployment
    /// Whose settings are in effect: the newest that was ever ready; nil before the first.
    var serving: Deployment?
    /// How many replicas are wanted; 0 lets the API sleep.
    var desired: Int
    /// What pods of the wanted version are made from.
    var template: String
    var rollout = Rollout.running
    /// Requests wait for the first replica.
    var isWaking = false
    var pods: [String: PodView] = [:]
    /// Why objects of it cannot be made.
    var refusal: String?
    /// Why pods cannot be made: a quota, a rule of the cluster.
    var shortage: String?

    init(wanted: Deployment, serving: Deployment?, desired: Int, template: String) {
        self.wanted = wanted
        self.serving = serving
        self.desired = desired
        self.template = template
    }

    private var bounds: AutoscalingSpec { self.wanted.spec.autoscaling }

    /// How many pods there have to be: a version that nobody has seen come up must do so once, also where it may sleep then.
    var replicas: Int {
        if case .done = self.rollout { return self.desired }
        return self.wanted.wasLive ? self.desired : max(self.desired, 1)
    }

    /// Those of the newest version.
    var current: [PodView] {
        self.pods.values.filter { $0.template == self.template && !$0.isTerminating }.sorted { $0.name < $1.name }
    }

    var counts: ReplicaCounts {
        var counts = ReplicaCounts(requested: self.desired)
        for pod in self.pods.values where !pod.isTerminating {
            switch (pod.template == self.template, pod.isReady) {
            case (true, true): counts.ready += 1
            case (false, true): counts.stale += 1
            case (true, false): counts.failed += pod.hasFailed ? 1 : 0
            case (false, false): break
            }
        }
        // It could not even be tried.
        if self.refusal != nil, counts.failed == 0, counts.ready == 0 { counts.failed = 1 }
        return counts
    }

    /// Whether a replica takes requests.
    var isServing: Bool { self.pods.values.contains { $0.isReady } }

    /// Whether requests are held rather than refused while no replica is ready.
    var isAsleep: Bool { !self.isServing && self.serving != nil && (self.desired == 0 || self.isWaking) }

    // MARK: Steps

    /// What became of the newest version; to be called after whatever may have changed it.
    ///
    /// - Returns: What there is to tell, as kinds of events with their words.
    mutating func settle() -> [(kind: ProviderEvent.Kind, message: String)] {
        let ready = self.current.count { $0.isReady }
        if ready > 0 {
            self.isWaking = false
            self.serving = self.wanted
        }
        switch self.rollout {
        case .done: return []
        case .running, .failed:
            let least = min(self.replicas, max(self.bounds.minReplicas, 1))
            if ready >= least, ready > 0 {
                self.rollout = .done
                return [(.live, "live")]
            }
            // It was live, and sleeps on.
            if self.replicas == 0, self.refusal == nil {
                self.rollout = .done
                self.serving = self.wanted
                return []
            }
            guard let (reason, isOutOfMemory) = self.failure, ready == 0 else { return [] }
            guard self.rollout != .failed(reason: reason, isOutOfMemory: isOutOfMemory) else { return [] }
            let isNews = if case .failed(let known, _) = self.rollout { known != reason } else { true }
            self.rollout = .failed(reason: reason, isOutOfMemory: isOutOfMemory)
            return isNews ? [(.failed, reason)] : []
        }
    }

    /// Why no pod of the newest version comes up.
    private var failure: (reason: String, isOutOfMemory: Bool)? {
        for pod in self.current where pod.hasFailed {
            guard let trouble = pod.trouble else { continue }
            if case .outOfMemory(let reason) = trouble { return (reason, true) }
            return (trouble.reason, false)
        }
        return self.refusal.map { ($0, false) }
    }

    // MARK: Words

    var status: (code: APIStatus, reason: String?) {
        let (counts, unplaced) = (self.counts, self.unplaced)
        switch self.rollout {
        case .running:
            if let unplaced { return (.computeUnavailable, unplaced) }
            return (.updating, counts.requested > 1 ? Self.missing(counts) : nil)
        case .failed(let reason, let isOutOfMemory):
            if let serving = self.serving, serving.id != self.wanted.id { return (.rolloutFailed, reason) }
            return (isOutOfMemory ? .outOfMemory : .error, reason)
        case .done: return self.statusWhenLive(counts, unplaced)
        }
    }

    private func statusWhenLive(_ counts: ReplicaCounts, _ unplaced: String?) -> (APIStatus, String?) {
        if counts.requested == 0 || self.isWaking || counts.ready >= counts.requested { return (.live, nil) }
        for pod in self.current {
            guard let trouble = pod.trouble, pod.hasFailed else { continue }
            let others = counts.requested > 1 ? "\(Self.missing(counts) ?? ""): " : ""
            if case .outOfMemory(let reason) = trouble, counts.ready == 0 { return (.outOfMemory, reason) }
            if pod.restarts > 1 {
                return (.crashLoop, "\(others)\(pod.name) was started \(pod.restarts + 1) times: \(trouble.reason)")
            }
            return (.error, others + trouble.reason)
        }
        if let unplaced { return (.computeUnavailable, unplaced) }
        return counts.ready >= max(self.bounds.minReplicas, 1) ? (.live, nil) : (.updating, Self.missing(counts))
    }

    /// Why the cluster has no room for a replica.
    private var unplaced: String? {
        for pod in self.current {
            if case .unschedulable(let reason) = pod.trouble { return reason }
        }
        return self.shortage
    }

    private static func missing(_ counts: ReplicaCounts) -> String? {
        guard counts.ready < counts.requested else { return nil }
        return "\(counts.ready) of \(counts.requested) replicas \(counts.ready == 1 ? "is" : "are") ready"
    }

    /// What is being done to bring the newest version up.
    var progress: String? {
        if self.isWaking { return "waking: its first replica is starting" }
        guard case .running = self.rollout else { return nil }
        return self.current.lazy.compactMap(\.step).first
    }

    var eachReplica: [ReplicaObservation] {
        self.pods.values.sorted { ($0.createdAt ?? .distantPast, $0.name) < ($1.createdAt ?? .distantPast, $1.name) }
            .map { pod in
                let state: ReplicaObservation.State =
                    pod.isTerminating
                    ? .draining
                    : pod.isReady ? .ready : pod.hasFailed ? .failed : pod.restarts > 0 ? .restarting : .starting
                let reason = pod.trouble?.reason ?? pod.step
                return ReplicaObservation(name: pod.name, version: pod.version, state: state, reason: reason)
            }
    }
}

extension PodView {
    /// Whether it does not come up for a reason that waiting alone does not mend.
    var hasFailed: Bool {
        switch self.trouble {
        case .image, .outOfMemory, .failed: true
        case .unschedulable, nil: false
        }
    }
}
