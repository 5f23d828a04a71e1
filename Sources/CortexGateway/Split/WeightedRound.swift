/// Whose turn it is in a row of requests that are shared out by weight.
///
/// Over a round each item has exactly as many turns as its weight (in lowest terms), and they are spread as evenly as they can
/// be: 3 to 1 is `a a b a`, not `a a a b`. That is smooth weighted round robin, worked out once for a whole round: at each turn
/// every item gains its weight, and the one with the most pays what all gained together.
struct WeightedRound: Hashable, Sendable {
    /// Places of items in the list of weights, one for each turn; empty where nothing has a weight.
    let turns: [Int]

    /// - Parameter weights: None negative.
    init(_ weights: [Int]) {
        let divisor = weights.reduce(0, Self.greatestCommonDivisor)
        guard divisor > 0 else {
            self.turns = []
            return
        }
        let weights = weights.map { $0 / divisor }
        let total = weights.reduce(0, +)
        var credit = [Int](repeating: 0, count: weights.count)
        self.turns = (0..<total).map { _ in
            var best = 0
            for item in weights.indices {
                credit[item] += weights[item]
                if credit[item] > credit[best] { best = item }
            }
            credit[best] -= total
            return best
        }
    }

    /// The item of a turn, by a count that goes on over rounds; nil where nothing has a weight.
    subscript(turn: UInt) -> Int? {
        self.turns.isEmpty ? nil : self.turns[Int(turn % UInt(self.turns.count))]
    }

    private static func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
        var (larger, smaller) = (first, second)
        while smaller > 0 { (larger, smaller) = (smaller, larger % smaller) }
        return larger
    }
}
