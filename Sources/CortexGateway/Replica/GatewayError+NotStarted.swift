extension GatewayError {
    /// Whether nothing of the request has run, and another replica may well take it.
    ///
    /// What is wrong with the request itself would be so elsewhere.
    var isNotStarted: Bool {
        switch self {
        case .draining, .starting, .noSuchPath, .noSuchName, .tooManyConnections, .tooFewDescriptors, .spoolFull,
            .spoolBroken:
            true
        case .upstream(_, let failure): !failure.wasStarted
        default: false
        }
    }
}
