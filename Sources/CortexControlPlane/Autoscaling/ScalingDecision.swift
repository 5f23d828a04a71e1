import CortexSpec

/// How many replicas an API is to have from now on, and the numbers that led to it.
package struct ScalingDecision: Hashable, Sendable {
    /// Requests in flight on average over the window.
    package var load: Double
    package var recommendation: Recommendation
    /// How many were wanted so far.
    package var current: Int
    /// How many are wanted now.
    package var replicas: Int

    package var isChange: Bool { self.replicas != self.current }

    /// For the history of an API, in a sentence.
    package func explanation(_ policy: AutoscalerPolicy) -> String {
        let load = Self.text(self.load)
        let target = Self.text(policy.target)
        var text = "replicas \(self.current) → \(self.replicas): \(load) in flight on average over "
        text += "\(policy.window.goText), with a target of \(target) each: \(Self.text(self.recommendation.wish))"
        if let limit = self.recommendation.limit { text += "; by \(limit.rawValue) \(self.recommendation.replicas)" }
        if self.replicas != self.recommendation.replicas {
            let isDown = self.replicas < self.current
            let period = isDown ? policy.downscaleStabilization : policy.upscaleStabilization
            text += "; by \(isDown ? "downscale" : "upscale")_stabilization_period \(period.goText) \(self.replicas)"
        }
        return text
    }

    /// A number with at most two places behind the point.
    package static func text(_ number: Double) -> String {
        guard abs(number) < 1e15 else { return "\(number)" }
        let hundredths = Int((number * 100).rounded())
        let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
        guard rest != 0 else { return "\(whole)" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }
}
