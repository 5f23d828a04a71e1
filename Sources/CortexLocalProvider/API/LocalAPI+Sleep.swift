import CortexControlPlane
import CortexServing
import CortexSpec

/// An API that may have no replica at all: how it is woken, and how it sleeps on.
extension LocalAPI {
    /// Starts a replica for requests that found none, until the API has ended.
    func answerWakes() async {
        for await _ in self.wakes.asked {
            guard self.desired == 0, !self.isWithdrawn, !self.isShuttingDown, let current = self.current else {
                continue
            }
            self.desired = 1
            let text = "replicas 0 → 1: woken by a request"
            self.log.write(text, version: current.version)
            self.emit(ProviderEvent(api: self.name, version: current.version, kind: .scaled, message: text))
            self.startServing()
            self.reconcile()
        }
    }

    /// While an update is under way what has served is sooner there than what has not.
    private func startServing() {
        guard let serving = self.serving, serving !== self.wanted else { return }
        let isThere = self.replicas.contains { $0.replica.version === serving && $0.stage != .draining }
        if !isThere { self.start(serving) }
    }

    /// A version that slept when the last server ended sleeps on: requests may wake it.
    func sleepOn(_ version: LocalVersion) async {
        guard self.opening(of: version) != nil, self.isNeeded(version) else { return }
        self.serving = version
        await version.becameLive()
        await self.queue.setReplicaLimit(version.deployment.spec.autoscaling.maxReplicaConcurrency)
        await self.publish(version)
    }
}
