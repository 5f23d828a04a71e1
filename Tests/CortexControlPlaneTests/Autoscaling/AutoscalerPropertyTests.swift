import CortexControlPlane
import Testing

/// What must hold for any configuration and any load.
@Suite(.timeLimit(.minutes(5))) struct AutoscalerPropertyTests {
    /// Section 4.3 of the specification, line by line; slow and plain.
    private struct Reference {
        var history: [(time: Int, count: Int)] = []

        mutating func decide(_ policy: AutoscalerPolicy, mean: Double, idle: Bool, current: Int, time: Int) -> Int {
            let raw = mean / policy.target
            let count = Double(current)
            var rec = Int(raw.rounded(.up))
            if count * (1 - policy.downscaleTolerance) < raw, raw < count { rec = current }
            if count < raw, raw < count * (1 + policy.upscaleTolerance) { rec = current }
            rec = max(rec, min(current - 1, Int((count * policy.maxDownscaleFactor).rounded(.up))))
            rec = min(rec, max(current + 1, Int((count * policy.maxUpscaleFactor).rounded(.up))))
            rec = min(max(max(rec, idle ? 0 : 1), policy.bounds.lowerBound), policy.bounds.upperBound)
            self.history.append((time, rec))
            let down = self.recent(policy.downscaleStabilization, time)
            let up = self.recent(policy.upscaleStabilization, time)
            var req = rec
            if rec < current {
                let floor = min(current, down.max() ?? rec)
                req = .seconds(time) < policy.downscaleStabilization ? current : max(rec, floor)
            }
            if rec > current {
                let ceiling = max(current, up.min() ?? rec)
                req = .seconds(time) < policy.upscaleStabilization ? current : min(rec, ceiling)
            }
            return req
        }

        private func recent(_ period: Duration, _ time: Int) -> [Int] {
            self.history.filter { .seconds(time - $0.time) < period }.map(\.count)
        }
    }

    @Test(arguments: 1...150) func `equals the specification`(seed: Int) {
        var numbers = SeededNumbers(seed: seed)
        let policy = AutoscalerPolicy.random(&numbers)
        let trace = LoadTrace.random(&numbers)
        let first = max(policy.anyCount(&numbers), 1)
        guard policy.bounds.contains(first) else { return }
        let found = ScalingSimulation(trace, policy, from: first)
        var reference = Reference()
        var current = first
        var wakes = found.wakes[...]
        for point in found.points {
            let time = Int(point.time.components.seconds)
            while let wake = wakes.first, wake < point.time {
                wakes.removeFirst()
                reference.history.append((Int(wake.components.seconds), 1))
                current = 1
            }
            let length = Int(policy.window.components.seconds)
            let seen = found.samples[max(0, time - length)..<time]
            let means = stride(from: seen.startIndex, to: seen.endIndex, by: 10).map { start in
                seen[start..<start + 10].reduce(0, +) / 10
            }
            let mean = means.reduce(0, +) / Double(means.count)
            let wanted = reference.decide(
                policy,
                mean: mean,
                idle: seen.allSatisfy { $0 == 0 },
                current: current,
                time: time
            )
            #expect(point.decision.replicas == wanted, "at \(time) s")
            current = wanted
        }
    }

    @Test(arguments: 1...100) func `never leaves the bounds`(seed: Int) {
        var numbers = SeededNumbers(seed: seed)
        let policy = AutoscalerPolicy.random(&numbers)
        let found = ScalingSimulation(.random(&numbers), policy, from: policy.anyCount(&numbers))
        #expect(found.replicas.allSatisfy(policy.bounds.contains))
        #expect(!found.points.isEmpty)
    }

    @Test(arguments: 1...100) func `goes one way and comes to rest under constant load`(seed: Int) throws {
        var numbers = SeededNumbers(seed: seed)
        let policy = AutoscalerPolicy.random(&numbers)
        var trace = LoadTrace.random(&numbers, minutes: 5)
        let changed = trace.end
        let load = Double.random(in: 0...80, using: &numbers)
        let isHeld = trace.hold(load, for: .seconds(4 * 3600))
        #expect(isHeld)
        let found = ScalingSimulation(trace, policy, from: policy.anyCount(&numbers))
        // From here on all that it remembers is of this load.
        let settled = changed + policy.window + max(policy.downscaleStabilization, policy.upscaleStabilization)
        let counts = found.points.filter { $0.time > settled + .seconds(10) }.map(\.decision.replicas)
        #expect(counts == counts.sorted() || counts == counts.sorted(by: >))
        #expect(Set(counts.suffix(counts.count / 4)).count == 1)
        // And where it rests it is right.
        let wish = load / policy.target
        let last = try #require(counts.last)
        let right = min(max(Int(wish.rounded(.up)), policy.bounds.lowerBound, 1), policy.bounds.upperBound)
        let tolerated =
            wish > Double(last) * (1 - policy.downscaleTolerance) && wish < Double(last) * (1 + policy.upscaleTolerance)
        #expect(last == right || tolerated)
    }

    /// Tolerances make the count depend on how it came there, so that only without them the order of loads is that of counts.
    @Test(arguments: 1...100) func `more load over all of the time never means fewer replicas at any time`(seed: Int) {
        var numbers = SeededNumbers(seed: seed)
        let policy = AutoscalerPolicy.random(&numbers, tolerances: false)
        var (less, more) = (LoadTrace(), LoadTrace())
        while less.end < .seconds(1200) {
            let load = Double.random(in: 0...40, using: &numbers)
            let duration = Duration.seconds(Int.random(in: 1...200, using: &numbers))
            let isHeld =
                less.hold(load, for: duration)
                && more.hold(load + Double.random(in: 0...40, using: &numbers), for: duration)
            #expect(isHeld)
        }
        let first = max(policy.anyCount(&numbers), min(1, policy.bounds.upperBound))
        let counts = ScalingSimulation(less, policy, from: first).replicas
        let greater = ScalingSimulation(more, policy, from: first).replicas
        #expect(zip(counts, greater).allSatisfy { $0 <= $1 })
    }

    @Test(arguments: 1...100) func `each step keeps to what was recommended all the period`(seed: Int) {
        var numbers = SeededNumbers(seed: seed)
        let policy = AutoscalerPolicy.random(&numbers)
        let found = ScalingSimulation(.random(&numbers), policy, from: policy.anyCount(&numbers))
        for (index, point) in found.points.enumerated() where point.decision.isChange {
            let isUp = point.decision.replicas > point.decision.current
            let period = isUp ? policy.upscaleStabilization : policy.downscaleStabilization
            let recent = found.points[...index].filter { point.time - $0.time < period }.map(
                \.decision.recommendation.replicas
            )
            #expect(recent.allSatisfy { isUp ? $0 >= point.decision.replicas : $0 <= point.decision.replicas })
            #expect(point.time >= period)
        }
    }
}
