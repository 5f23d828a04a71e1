/// The `update_strategy` section: how many replicas a rolling update may add and take away at once.
package struct UpdateStrategySpec: Hashable, Sendable, Codable {
    /// A count (`1`) or a percentage (`25%`) of the wanted replicas.
    package var maxSurge: String
    package var maxUnavailable: String

    /// ``maxSurge`` as a number; nil where the text is not one, which no checked spec has.
    package var surge: CountOrPercentage? { CountOrPercentage(self.maxSurge) }
    /// ``maxUnavailable`` as a number; nil as with ``surge``.
    package var unavailable: CountOrPercentage? { CountOrPercentage(self.maxUnavailable) }

    package init(maxSurge: String = "25%", maxUnavailable: String = "25%") {
        self.maxSurge = maxSurge
        self.maxUnavailable = maxUnavailable
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let standard = Self()
        self.init(
            maxSurge: try fields.decode(.maxSurge, or: standard.maxSurge),
            maxUnavailable: try fields.decode(.maxUnavailable, or: standard.maxUnavailable)
        )
    }

    private enum CodingKeys: String, CodingKey {
        case maxSurge = "max_surge"
        case maxUnavailable = "max_unavailable"
    }
}
