/// The `autoscaling` section.
package struct AutoscalingSpec: Hashable, Sendable, Codable {
    package var minReplicas: Int
    package var maxReplicas: Int
    package var initReplicas: Int
    /// Requests in one replica, queued and running, beyond which the next is refused: 1 to 30,000.
    package var maxReplicaConcurrency: Int
    /// Requests in flight that one replica should have; nil is as many as it can run at once.
    package var targetReplicaConcurrency: Double?
    /// Over which the load is averaged.
    @DurationText package var window: Duration
    @DurationText package var downscaleStabilizationPeriod: Duration
    @DurationText package var upscaleStabilizationPeriod: Duration
    /// The least share of the replicas that one step down leaves: 0.75 takes away a quarter at most.
    package var maxDownscaleFactor: Double
    /// The most that one step up multiplies the replicas by.
    package var maxUpscaleFactor: Double
    /// Deviations from the current count within these shares change nothing.
    package var downscaleTolerance: Double
    package var upscaleTolerance: Double

    package init(
        minReplicas: Int = 1,
        maxReplicas: Int = 100,
        initReplicas: Int = 1,
        maxReplicaConcurrency: Int = 1024,
        targetReplicaConcurrency: Double? = nil,
        window: Duration = .seconds(60),
        downscaleStabilizationPeriod: Duration = .seconds(300),
        upscaleStabilizationPeriod: Duration = .seconds(60),
        maxDownscaleFactor: Double = 0.75,
        maxUpscaleFactor: Double = 1.5,
        downscaleTolerance: Double = 0.05,
        upscaleTolerance: Double = 0.05
    ) {
        self.minReplicas = minReplicas
        self.maxReplicas = maxReplicas
        self.initReplicas = initReplicas
        self.maxReplicaConcurrency = maxReplicaConcurrency
        self.targetReplicaConcurrency = targetReplicaConcurrency
        self.window = window
        self.downscaleStabilizationPeriod = downscaleStabilizationPeriod
        self.upscaleStabilizationPeriod = upscaleStabilizationPeriod
        self.maxDownscaleFactor = maxDownscaleFactor
        self.maxUpscaleFactor = maxUpscaleFactor
        self.downscaleTolerance = downscaleTolerance
        self.upscaleTolerance = upscaleTolerance
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let standard = Self()
        self.init(
            minReplicas: try fields.decode(.minReplicas, or: standard.minReplicas),
            maxReplicas: try fields.decode(.maxReplicas, or: standard.maxReplicas),
            initReplicas: try fields.decode(.initReplicas, or: standard.initReplicas),
            maxReplicaConcurrency: try fields.decode(.maxReplicaConcurrency, or: standard.maxReplicaConcurrency),
            targetReplicaConcurrency: try fields.decodeIfPresent(Double.self, forKey: .targetReplicaConcurrency),
            window: try fields.decode(.window, or: standard.window),
            downscaleStabilizationPeriod: try fields.decode(
                .downscaleStabilizationPeriod,
                or: standard.downscaleStabilizationPeriod
            ),
            upscaleStabilizationPeriod: try fields.decode(
                .upscaleStabilizationPeriod,
                or: standard.upscaleStabilizationPeriod
            ),
            maxDownscaleFactor: try fields.decode(.maxDownscaleFactor, or: standard.maxDownscaleFactor),
            maxUpscaleFactor: try fields.decode(.maxUpscaleFactor, or: standard.maxUpscaleFactor),
            downscaleTolerance: try fields.decode(.downscaleTolerance, or: standard.downscaleTolerance),
            upscaleTolerance: try fields.decode(.upscaleTolerance, or: standard.upscaleTolerance)
        )
    }

    private enum CodingKeys: String, CodingKey {
        case window
        case minReplicas = "min_replicas"
        case maxReplicas = "max_replicas"
        case initReplicas = "init_replicas"
        case maxReplicaConcurrency = "max_replica_concurrency"
        case targetReplicaConcurrency = "target_replica_concurrency"
        case downscaleStabilizationPeriod = "downscale_stabilization_period"
        case upscaleStabilizationPeriod = "upscale_stabilization_period"
        case maxDownscaleFactor = "max_downscale_factor"
        case maxUpscaleFactor = "max_upscale_factor"
        case downscaleTolerance = "downscale_tolerance"
        case upscaleTolerance = "upscale_tolerance"
    }
}
