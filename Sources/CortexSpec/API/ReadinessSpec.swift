/// The `readiness` section: what a new replica must do before it takes traffic.
package struct ReadinessSpec: Hashable, Sendable, Codable {
    /// Path of a file in the project whose content it must answer; nil asks nothing.
    package var sample: String?

    package init(sample: String? = nil) {
        self.sample = sample
    }
}
