/// What of a request a predictor's methods name, and so what has to travel to its workers.
package struct PredictArguments: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let payload = Self(rawValue: 1)
    package static let query = Self(rawValue: 2)
    package static let headers = Self(rawValue: 4)
    /// For a predictor of which nothing is known yet.
    package static let all: Self = [.payload, .query, .headers]

    /// - Parameter names: As the predictor has them; those that cost nothing on the way are none of these.
    package init(names: Set<String>) {
        self = []
        if names.contains("payload") { self.insert(.payload) }
        if names.contains("query_params") { self.insert(.query) }
        if names.contains("headers") { self.insert(.headers) }
    }
}
