import NIOCore

/// How fast a body comes in: silence has a time of its own, a trickle is found here.
struct BodyPace {
    /// The start of the window; nil for the first, which starts with the request.
    private var since: NIODeadline?
    private var bytes = 0
    /// Of the window, how long nothing was read: that is the server's time.
    private var still = TimeAmount.zero

    mutating func stoodStill(for time: TimeAmount) { self.still = self.still + time }

    /// Looks at the window that has just passed, if one has.
    ///
    /// Each window counts for itself, so that a fast start buys no slow rest.
    mutating func isTooSlow(received: Int, _ configuration: GatewayConfiguration, begun: NIODeadline) -> Bool {
        let now = NIODeadline.now()
        let passed = now - (self.since ?? begun) - self.still
        guard passed >= configuration.rateWindow else { return false }
        let came = received - self.bytes
        self.since = now
        self.bytes = received
        self.still = .zero
        return came < configuration.minimumUploadRate.bytes(in: passed)
    }
}

extension Int {
    /// What a rate of this many bytes a second amounts to.
    func bytes(in time: TimeAmount) -> Int {
        Int(Double(self) * Double(time.nanoseconds) / 1e9)
    }
}
