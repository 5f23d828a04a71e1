/// Decides how many replicas one API should have, from the load that it is told of.
///
/// Every 10 s, with `current` replicas wanted:
///
///     wish           = mean in flight over the window / target
///     recommendation = ⌈wish⌉, or current where wish is within the tolerances of it; no further from current than the
///                      factors (but one step always), within min_replicas and max_replicas
///     lowest         = the least recommendation within upscale_stabilization_period
///     highest        = the most recommendation within downscale_stabilization_period
///     wanted         = current, raised to lowest, then lowered to highest
///
/// The newest recommendation is among both, so that this raises at most to it and lowers at least to it: a step up is
/// made when all of the period recommended it, and so is a step down. (The original bounded steps down by `lowest` too,
/// which let them pass at once.) As long as it has not watched the API for a period it makes no step of that direction.
///
/// A value without a clock: times are durations since an origin of the caller's, and go on across restarts. What it
/// needs of its past is `Codable`.
package struct Autoscaler: Hashable, Sendable, Codable {
    private var window = LoadWindow()
    private var history = StabilizationHistory()
    /// Since when it has watched the API, as far as steps in that direction go.
    private var watchedForDownscale: Duration
    private var watchedForUpscale: Duration
    private var lastSample: Duration
    /// The newest time in which nobody has watched, until the next decision.
    private var pause: Range<Duration>?

    package init(at time: Duration) {
        self.watchedForDownscale = time
        self.watchedForUpscale = time
        self.lastSample = time
    }

    /// Goes on under another server: where the clock was set back since, no entry is to lie in the future.
    package mutating func resume(at time: Duration) {
        guard time < self.lastSample else { return }
        // By whole periods, so that what was one stays one.
        let periods = LoadWindow.number(at: self.lastSample) - LoadWindow.number(at: time) + 1
        let distance = LoadWindow.period * Int(periods)
        self.window.shift(byPeriods: -periods)
        self.history.shift(by: -distance.components.seconds)
        self.watchedForDownscale -= distance
        self.watchedForUpscale -= distance
        self.pause = nil
        self.lastSample = time
    }

    /// Takes a sample of the load: every second.
    /// - Parameter isBusy: Whether requests came since the last sample, however short they were.
    package mutating func observe(inFlight: Double, isBusy: Bool, at time: Duration) {
        self.window.add(inFlight, isBusy: isBusy, at: time)
        if time - self.lastSample > LoadWindow.period { self.pause = self.lastSample..<time }
        self.lastSample = max(self.lastSample, time)
    }

    /// A request has woken the API, which had no replica.
    ///
    /// That is as good as a recommendation of one: it is not to sleep again before the downscale stabilisation is over.
    package mutating func woke(at time: Duration) {
        self.history.add(1, at: time)
    }

    /// Decides; nil where the last period has no samples.
    ///
    /// To be called once each period, at its end.
    /// - Parameter current: How many replicas are wanted so far.
    package mutating func decide(_ policy: AutoscalerPolicy, current: Int, at time: Duration) -> ScalingDecision? {
        self.notePause(policy)
        self.window.forget(beyond: policy.window, at: time)
        guard let load = self.window.load(over: policy.window, at: time) else { return nil }
        let recommendation = Recommendation(load, current: current, policy)
        self.history.forget(beyond: policy.memory, at: time)
        self.history.add(recommendation.replicas, at: time)
        var wanted = current
        if time - self.watchedForUpscale >= policy.upscaleStabilization,
            let lowest = self.history.lowest(within: policy.upscaleStabilization, at: time)
        {
            wanted = max(wanted, lowest)
        }
        if time - self.watchedForDownscale >= policy.downscaleStabilization,
            let highest = self.history.highest(within: policy.downscaleStabilization, at: time)
        {
            wanted = min(wanted, highest)
        }
        // Bounds may have changed: what is beyond them goes at once.
        wanted = min(max(wanted, policy.bounds.lowerBound), policy.bounds.upperBound)
        return ScalingDecision(
            load: load.mean,
            recommendation: recommendation,
            current: current,
            replicas: wanted
        )
    }

    /// Of a direction whose whole period nobody has watched nothing is known any more: it is watched anew.
    private mutating func notePause(_ policy: AutoscalerPolicy) {
        guard let pause = self.pause else { return }
        self.pause = nil
        let length = pause.upperBound - pause.lowerBound
        if length >= policy.downscaleStabilization { self.watchedForDownscale = pause.upperBound }
        if length >= policy.upscaleStabilization { self.watchedForUpscale = pause.upperBound }
    }
}
