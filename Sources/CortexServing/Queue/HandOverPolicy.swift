import NIOCore

/// How many requests a slot may hold at once: the first runs, the others wait in the worker's socket.
///
/// A slot that has the next request at hand need not wait for a round trip through the server. That pays only where
/// `predict` is short, and harms where one request in front takes long, since what is in a socket cannot be called back. So
/// nothing is put behind a request that has itself run for `threshold`, and the depth is above 1 only while quick requests
/// have earned it: each earns 1, up to `most`; a slow one costs `price`; it takes `enough`.
///
/// | share of slow requests | time at the greatest depth | delayed by a slow one in front, of all |
/// |---|---|---|
/// | 1/5000 | 99 % | 0.13 % |
/// | 1/1000 | 74 % | 0.50 % |
/// | 1/500 | 42 % | 0.58 %, the most there is |
/// | 1/200 | 7 % | 0.28 % |
/// | 1/100 | 1 % | 0.04 % |
///
/// With a depth of 8, where all slots are always busy; with 16 it would be more than 1 %. A request now and then that the machine itself holds up does not turn
/// it off, and whatever the share, those delayed do not reach the 99th percentile.
struct HandOverPolicy {
    static let threshold = TimeAmount.milliseconds(2)
    static let enough = 512
    static let price = 1024
    static let most = 1536

    private let greatestDepth: Int
    private var credit = 0

    /// - Parameter depth: The most that a slot may hold; 1 hands nothing over early.
    init(depth: Int) {
        self.greatestDepth = depth
    }

    var depth: Int { self.credit >= Self.enough ? self.greatestDepth : 1 }

    mutating func record(_ predict: TimeAmount) {
        self.credit =
            predict >= Self.threshold ? max(self.credit - Self.price, 0) : min(self.credit + 1, Self.most)
    }
}
