import Testing

@testable import CortexGateway

@Suite struct WeightedRoundTests {
    /// How many turns each item has in the first `count`.
    private static func shares(_ round: WeightedRound, _ weights: [Int], of count: UInt, from start: UInt = 0) -> [Int]
    {
        var shares = [Int](repeating: 0, count: weights.count)
        for turn in start..<start + count {
            if let item = round[turn] { shares[item] += 1 }
        }
        return shares
    }

    @Test(arguments: [
        ([100], "a"),
        ([50, 50], "ab"),
        ([75, 25], "aaba"),
        ([90, 10], "aaaaabaaaa"),
        ([40, 40, 20], "abcab"),
        ([50, 30, 20], "abcaabacba"),
        ([0, 100], "b"),
        ([1, 0, 0], "a"),
    ])
    func `turns are spread evenly`(weights: [Int], expected: String) {
        let turns = WeightedRound(weights).turns.map { ["a", "b", "c"][$0] }.joined()
        #expect(turns == expected)
    }

    @Test(arguments: 0...100)
    func `two shares of a hundred are exact, wherever one begins to count`(weight: Int) {
        let weights = [weight, 100 - weight]
        let round = WeightedRound(weights)
        for start in [0, 1, 37, 99, 100, 12_345] as [UInt] {
            #expect(Self.shares(round, weights, of: 100, from: start) == weights)
        }
    }

    @Test func `three shares of a hundred are exact`() {
        for first in 0...100 {
            for second in 0...(100 - first) {
                let weights = [first, second, 100 - first - second]
                let shares = Self.shares(WeightedRound(weights), weights, of: 100)
                guard shares == weights else {
                    Issue.record("\(weights) became \(shares)")
                    return
                }
            }
        }
    }

    @Test func `many shares of a hundred are exact`() {
        let tables = [[Int](repeating: 1, count: 100), [Int](repeating: 4, count: 25), Array(1...13) + [9]]
        for weights in tables {
            #expect(weights.reduce(0, +) == 100)
            #expect(Self.shares(WeightedRound(weights), weights, of: 100) == weights)
        }
    }

    @Test(arguments: 1...99)
    func `of two, neither is ever a whole turn ahead of its share`(weight: Int) {
        let weights = [weight, 100 - weight]
        let round = WeightedRound(weights)
        var first = 0
        for turn in 0..<100 {
            first += round[UInt(turn)] == 0 ? 1 : 0
            #expect(abs(first * 100 - (turn + 1) * weight) <= 100)
        }
    }

    @Test func `nothing has a turn where nothing has a weight`() {
        #expect(WeightedRound([])[0] == nil)
        #expect(WeightedRound([0, 0])[7] == nil)
    }
}
