/// What an autoscaler makes of a trace, where each replica is there at once.
package struct ScalingSimulation: Sendable {
    /// One decision.
    package struct Point: Hashable, Sendable {
        package var time: Duration
        package var decision: ScalingDecision
    }

    /// Every 10 s.
    package private(set) var points: [Point] = []
    /// What is in flight at each second.
    package let samples: [Double]
    /// How many replicas are wanted at each second.
    package private(set) var replicas: [Int] = []
    /// When requests woke the API from zero replicas.
    package private(set) var wakes: [Duration] = []

    /// - Parameter first: How many replicas there are at the beginning.
    package init(_ trace: LoadTrace, _ policy: AutoscalerPolicy, from first: Int) {
        self.samples = trace.samples
        var autoscaler = Autoscaler(at: .zero)
        var current = first
        self.replicas.reserveCapacity(self.samples.count)
        let period = Int(LoadWindow.period.components.seconds)
        for second in 0...self.samples.count {
            let time = Duration.seconds(second)
            if second % period == 0, let decision = autoscaler.decide(policy, current: current, at: time) {
                self.points.append(Point(time: time, decision: decision))
                current = decision.replicas
            }
            guard second < self.samples.count else { break }
            let inFlight = self.samples[second]
            if current == 0, inFlight > 0 {
                // The first request does not wait for a decision.
                current = 1
                self.wakes.append(time)
                autoscaler.woke(at: time)
            }
            autoscaler.observe(inFlight: inFlight, isBusy: inFlight > 0, at: time)
            self.replicas.append(current)
        }
    }
}
