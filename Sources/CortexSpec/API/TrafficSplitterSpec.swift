/// A resource that shares requests out to APIs by weight: a `TrafficSplitter` entry of `cortex.yaml`.
package struct TrafficSplitterSpec: Hashable, Sendable, Codable {
    package struct Target: Hashable, Sendable, Codable {
        package var name: APIName
        /// Percent of the requests, or of their copies where it is a shadow: 0 to 100.
        package var weight: Int
        /// Gets copies of requests, and its answers are dropped.
        package var shadow: Bool

        package init(name: APIName, weight: Int, shadow: Bool = false) {
            self.name = name
            self.weight = weight
            self.shadow = shadow
        }

        package init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                name: try fields.decode(APIName.self, forKey: .name),
                weight: try fields.decode(Int.self, forKey: .weight),
                shadow: try fields.decode(.shadow, or: false)
            )
        }
    }

    package var name: APIName
    package var networking: NetworkingSpec
    /// Weights of all that are no shadows add up to 100; there is one shadow at most.
    package var apis: [Target]

    package init(name: APIName, networking: NetworkingSpec, apis: [Target]) {
        self.name = name
        self.networking = networking
        self.apis = apis
    }
}
