package import CortexSpec

/// How the replicas of an API follow its load: its `autoscaling` section, ready to be computed with.
package struct AutoscalerPolicy: Hashable, Sendable {
    /// How many replicas there may be.
    package var bounds: ClosedRange<Int>
    /// Requests in flight that one replica should have.
    package var target: Double
    /// Over which the load is averaged.
    package var window: Duration
    /// A step down goes no lower than any recommendation of this time.
    package var downscaleStabilization: Duration
    /// A step up goes no higher than any recommendation of this time.
    package var upscaleStabilization: Duration
    package var maxDownscaleFactor: Double
    package var maxUpscaleFactor: Double
    package var downscaleTolerance: Double
    package var upscaleTolerance: Double

    /// - Parameter slots: Requests that one replica can run at once, where the section names no target.
    package init(_ spec: AutoscalingSpec, slots: Int) {
        // A range the wrong way round would end the process, and a store may hold anything.
        self.bounds = min(spec.minReplicas, spec.maxReplicas)...max(spec.minReplicas, spec.maxReplicas)
        self.target = spec.targetReplicaConcurrency ?? Double(slots)
        self.window = spec.window
        self.downscaleStabilization = spec.downscaleStabilizationPeriod
        self.upscaleStabilization = spec.upscaleStabilizationPeriod
        self.maxDownscaleFactor = spec.maxDownscaleFactor
        self.maxUpscaleFactor = spec.maxUpscaleFactor
        self.downscaleTolerance = spec.downscaleTolerance
        self.upscaleTolerance = spec.upscaleTolerance
    }

    package init(_ spec: APISpec) {
        self.init(spec.autoscaling, slots: spec.predictor.processesPerReplica * spec.predictor.threadsPerProcess)
    }

    /// The longer of both stabilisation periods: how far back recommendations matter.
    var memory: Duration { max(self.downscaleStabilization, self.upscaleStabilization) }
}
