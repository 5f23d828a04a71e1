/// What the headers of a request may be at most.
struct HeaderLimits {
    let count: Int
    let size: Int
    let head: Int

    init(_ configuration: GatewayConfiguration) {
        self.count = configuration.maximumHeaders
        self.size = configuration.maximumHeaderSize
        self.head = configuration.maximumHeadSize
    }
}
