/// What the operator was told of its installation: how replicas are made.
package struct ClusterSettings: Hashable, Sendable {
    /// Where environments are kept between pods.
    package enum EnvironmentCache: Hashable, Sendable {
        /// A folder of each node.
        case node(String)
        /// A volume that many pods may write.
        case claim(String)
        /// Each pod builds its own.
        case none

        /// `node:/PATH`, `claim:NAME` or `none`.
        package init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            switch (parts.first, parts.dropFirst().first) {
            case ("none", nil): self = .none
            case ("node", let path?) where path.hasPrefix("/") && path.count > 1: self = .node(path)
            case ("claim", let name?): self = .claim(name)
            default: return nil
            }
        }

        package var text: String {
            switch self {
            case .none: "none"
            case .node(let path): "node:\(path)"
            case .claim(let name): "claim:\(name)"
            }
        }
    }

    package var namespace: String
    /// Of replicas.
    package var image: String
    package var imagePullPolicy: String?
    package var imagePullSecret: String?
    /// An address, or an absolute path on the nodes; nil asks package indexes.
    package var wheels: String?
    package var environmentCache: EnvironmentCache
    /// Where users find APIs, without a trailing slash; nil finds out.
    package var endpoint: String?
    /// Variables that replicas have besides.
    package var variables: [String: String]

    package init(
        namespace: String,
        image: String,
        imagePullPolicy: String? = nil,
        imagePullSecret: String? = nil,
        wheels: String? = nil,
        environmentCache: EnvironmentCache = .node("/var/lib/cortex"),
        endpoint: String? = nil,
        variables: [String: String] = [:]
    ) {
        self.namespace = namespace
        self.image = image
        self.imagePullPolicy = imagePullPolicy
        self.imagePullSecret = imagePullSecret
        self.wheels = wheels
        self.environmentCache = environmentCache
        self.endpoint = endpoint
        self.variables = variables
    }
}
