import CortexControlPlane
import CortexSpec

extension AutoscalerPolicy {
    /// The defaults of `cortex.yaml` with one request per replica, and what differs.
    static func with(_ change: (inout AutoscalingSpec) -> Void = { _ in }) -> Self {
        var spec = AutoscalingSpec(targetReplicaConcurrency: 1)
        change(&spec)
        return Self(spec, slots: 1)
    }
}

/// Numbers that look random and are the same in each run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: Int) { self.state = UInt64(truncatingIfNeeded: seed) }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension AutoscalerPolicy {
    /// Any that `cortex.yaml` can ask for, within what makes a test short.
    static func random(_ numbers: inout SeededNumbers, tolerances: Bool = true) -> Self {
        let least = Int.random(in: 0...5, using: &numbers)
        let spec = AutoscalingSpec(
            minReplicas: least,
            maxReplicas: max(least, 1) + Int.random(in: 0...60, using: &numbers),
            targetReplicaConcurrency: [0.5, 1, 1.6, 4].randomElement(using: &numbers) ?? 1,
            window: .seconds(10 * Int.random(in: 1...12, using: &numbers)),
            downscaleStabilizationPeriod: .seconds(Int.random(in: 0...40, using: &numbers) * 5),
            upscaleStabilizationPeriod: .seconds(Int.random(in: 0...20, using: &numbers) * 5),
            maxDownscaleFactor: Double.random(in: 0..<1, using: &numbers),
            maxUpscaleFactor: Double.random(in: 1.01...4, using: &numbers),
            downscaleTolerance: tolerances ? Double.random(in: 0..<0.3, using: &numbers) : 0,
            upscaleTolerance: tolerances ? Double.random(in: 0..<0.3, using: &numbers) : 0
        )
        return Self(spec, slots: 1)
    }

    func anyCount(_ numbers: inout SeededNumbers) -> Int { Int.random(in: self.bounds, using: &numbers) }
}

extension LoadTrace {
    /// Some steps of some load, or of none.
    static func random(_ numbers: inout SeededNumbers, minutes: Int = 20) -> Self {
        var trace = Self()
        while trace.end < .seconds(minutes * 60) {
            let load = Bool.random(using: &numbers) ? 0 : Double.random(in: 0...80, using: &numbers)
            guard trace.hold(load, for: .seconds(Int.random(in: 1...200, using: &numbers))) else { break }
        }
        return trace
    }
}
