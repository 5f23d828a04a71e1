import NIOCore

/// How many requests a slot may hold at once: the first runs, the others wait in the worker's socket.
///
/// A slot that has the next request at hand need not wait for a round trip through the server. That pays only where
/// `predict` is short, and harms where one request in front takes long; so the *maximum* of the last 100 predict times
/// decides, and until there are 100 the depth is 1.
struct HandOverPolicy {
    static let window = 100
    static let threshold = TimeAmount.milliseconds(2)
    static let greatestDepth = 4

    private var isSlow = [Bool](repeating: true, count: Self.window)
    private var slow = Self.window
    private var position = 0

    var depth: Int { self.slow == 0 ? Self.greatestDepth : 1 }

    mutating func record(_ predict: TimeAmount) {
        let isSlow = predict >= Self.threshold
        self.slow += (isSlow ? 1 : 0) - (self.isSlow[self.position] ? 1 : 0)
        self.isSlow[self.position] = isSlow
        self.position = (self.position + 1) % Self.window
    }
}
