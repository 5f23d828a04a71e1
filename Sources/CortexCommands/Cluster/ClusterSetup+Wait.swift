import CortexControlPlane
import CortexKubernetes
import CortexSpec

/// Waiting for what was applied.
extension ClusterSetup {
    /// A trouble that stays this long is told; shorter ones are those of the moment in which things are replaced.
    private static let grace = Duration.seconds(8)

    /// Returns once operator and gateways are ready, and the operator answers.
    /// - Throws: ``CommandFailure`` where something is wrong that does not pass by itself, or the time is over.
    mutating func wait(_ limit: WaitLimit, for installation: Installation) async throws {
        let deadline = ContinuousClock.now + limit.duration
        do {
            try await self.waitForRollout(until: deadline, limit)
        } catch let failure as KubectlFailure {
            self.calls.clear()
            throw failure.failure(of: self.named)
        }
        let client = try await self.waitForAnswer(until: deadline)
        if !installation.settings.usesVolume { try await self.checkProjectStore(client) }
        self.calls.clear()
    }

    /// An operator that cannot keep projects takes no deploy: better told now.
    private mutating func checkProjectStore(_ client: OperatorClient) async throws {
        self.calls.show("trying the project store")
        let problem: String?
        do {
            problem = try await client.projectStore().problem
        } catch {
            self.calls.clear()
            throw (error as? OperatorClient.Refusal)?.failure ?? error
        }
        guard let problem else { return }
        self.calls.clear()
        throw CommandFailure(
            problem,
            hint: "the operator has its variables (such as AWS_ACCESS_KEY_ID) from the Secret "
                + "\(CortexNames.projectStoreSecret) of the namespace \(self.location.namespace), or a role by "
                + "--operator-service-account-annotation; put that right, and run the command again"
        )
    }

    private mutating func waitForRollout(until deadline: ContinuousClock.Instant, _ limit: WaitLimit) async throws {
        self.calls.show("waiting for operator and gateways")
        var since: [ClusterRollout.Trouble: ContinuousClock.Instant] = [:]
        while true {
            let rollout = ClusterRollout(
                try await self.calls.objects([
                    "deployments,pods", "-n", self.location.namespace, "-l", ClusterFacts.components,
                ])
            )
            guard let step = rollout.step else { return }
            self.calls.show(step)
            let now = ContinuousClock.now
            since = rollout.troubles.reduce(into: [:]) { $0[$1] = since[$1] ?? now }
            if let (trouble, _) = since.filter({ now - $0.value >= Self.grace }).min(by: { $0.value < $1.value }) {
                self.calls.clear()
                throw CommandFailure(trouble.message, hint: trouble.hint)
            }
            guard now < deadline else {
                self.calls.clear()
                throw CommandFailure(
                    "not ready after \(limit): \(rollout.troubles.first?.message ?? step)",
                    hint: Self.hint(step)
                        ?? "it goes on; look again with: cortex cluster info --env \(self.environment)",
                    exitCode: 3
                )
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// What to do where a node takes no pod.
    private static func hint(_ step: String) -> String? {
        guard step.contains("PersistentVolumeClaim") || step.contains("persistentvolumeclaim") else { return nil }
        return "the cluster makes no volume by itself; name a class that does: --storage-class NAME "
            + "(kubectl get storageclasses)"
    }

    /// The operator hears of new tokens a moment later than the cluster does.
    private mutating func waitForAnswer(until deadline: ContinuousClock.Instant) async throws -> OperatorClient {
        self.calls.show("asking the operator")
        let file = try EnvironmentFile(home: CortexHome(environment: self.variables))
        guard let entry = file.entry(self.environment) else { throw file.unknown(self.environment) }
        let latest = min(deadline, ContinuousClock.now + .seconds(30))
        while true {
            do {
                return try await entry.connect()
            } catch let failure as CommandFailure {
                guard ContinuousClock.now < latest else {
                    self.calls.clear()
                    throw failure
                }
                self.calls.show()
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }
}
