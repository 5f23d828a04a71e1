/// How many replicas the load of a window asks for, beside those that there are.
package struct Recommendation: Hashable, Sendable {
    /// What kept the recommendation from what the load alone asks for.
    package enum Limit: String, Hashable, Sendable, Codable, CaseIterable {
        case downscaleTolerance = "downscale_tolerance"
        case upscaleTolerance = "upscale_tolerance"
        case maxDownscaleFactor = "max_downscale_factor"
        case maxUpscaleFactor = "max_upscale_factor"
        case minReplicas = "min_replicas"
        case maxReplicas = "max_replicas"
    }

    /// What the load asks for, in replicas and parts of one.
    package var wish: Double
    package var replicas: Int
    /// Nil where the load alone decided.
    package var limit: Limit?

    /// More replicas than any machine bears: numbers are cut off here before they are made whole.
    private static let most = 1e9

    /// - Parameter current: How many replicas are wanted so far.
    package init(_ load: LoadWindow.Load, current: Int, _ policy: AutoscalerPolicy) {
        let wish = load.mean / policy.target
        let count = Double(current)
        self.wish = wish
        self.replicas = Self.whole(wish)
        if wish < count, wish > count * (1 - policy.downscaleTolerance) {
            self.replicas = current
            self.limit = .downscaleTolerance
        }
        if wish > count, wish < count * (1 + policy.upscaleTolerance) {
            self.replicas = current
            self.limit = .upscaleTolerance
        }
        // A step of one is always possible.
        self.raise(to: min(current - 1, Self.whole(count * policy.maxDownscaleFactor)), by: .maxDownscaleFactor)
        self.lower(to: max(current + 1, Self.whole(count * policy.maxUpscaleFactor)), by: .maxUpscaleFactor)
        // The last replica goes only where there were no requests at all, not where they were too short to be seen.
        self.raise(to: max(policy.bounds.lowerBound, load.isIdle ? 0 : 1), by: .minReplicas)
        self.lower(to: policy.bounds.upperBound, by: .maxReplicas)
    }

    private mutating func raise(to least: Int, by limit: Limit) {
        guard self.replicas < least else { return }
        self.replicas = least
        self.limit = limit
    }

    private mutating func lower(to most: Int, by limit: Limit) {
        guard self.replicas > most else { return }
        self.replicas = most
        self.limit = limit
    }

    /// Rounded up, but for what is a rounding error (1.1 / 0.1 is 11.000000000000002).
    private static func whole(_ count: Double) -> Int {
        Int(min((count * (1 - 1e-12)).rounded(.up), Self.most))
    }
}
