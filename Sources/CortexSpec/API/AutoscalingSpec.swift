/// The `autoscaling` section. Until replicas are scaled (a later release) only the admission bound takes effect.
package struct AutoscalingSpec: Hashable, Sendable, Codable {
    package var minReplicas: Int
    package var maxReplicas: Int
    package var initReplicas: Int
    /// Requests in one replica, queued and running, beyond which the next is refused: 1 to 30,000.
    package var maxReplicaConcurrency: Int

    package init(minReplicas: Int = 1, maxReplicas: Int = 100, initReplicas: Int = 1, maxReplicaConcurrency: Int = 1024) {
        self.minReplicas = minReplicas
        self.maxReplicas = maxReplicas
        self.initReplicas = initReplicas
        self.maxReplicaConcurrency = maxReplicaConcurrency
    }

    private enum CodingKeys: String, CodingKey {
        case minReplicas = "min_replicas"
        case maxReplicas = "max_replicas"
        case initReplicas = "init_replicas"
        case maxReplicaConcurrency = "max_replica_concurrency"
    }
}
