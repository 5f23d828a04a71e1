import NIOCore

/// How many requests a slot may hold at once: the first runs, the others wait in the worker's socket.
///
/// A slot that has the next request at hand need not wait for a round trip through the server. That pays only where
/// `predict` is short, and harms where one request in front takes long, since what is in a socket cannot be called back. So
/// until `window` requests in a row were quick the depth is 1, and behind a request that has itself run for `threshold`
/// nothing is put at all.
///
/// Where a share `f` of all requests is slow, the depth is above 1 for `(1 − f)^window` of the time, and each slow request
/// then delays `depth − 1` others: with a depth of 4, `3 × f × (1 − f)^512` of all. That is at most 0.22 % (at `f` = 1/512),
/// and wherever fewer than 0.97 % are slow, the slow and the delayed together are fewer than 1 %: early hand-over does not
/// touch the 99th percentile.
struct HandOverPolicy {
    static let window = 512
    static let threshold = TimeAmount.milliseconds(2)

    private let greatestDepth: Int
    /// Requests since the last one that was slow.
    private var quick = 0

    /// - Parameter depth: The most that a slot may hold; 1 hands nothing over early.
    init(depth: Int) {
        self.greatestDepth = depth
    }

    var depth: Int { self.quick >= Self.window ? self.greatestDepth : 1 }

    mutating func record(_ predict: TimeAmount) {
        self.quick = predict >= Self.threshold ? 0 : self.quick + 1
    }
}
