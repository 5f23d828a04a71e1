import NIOCore
import Testing

@testable import CortexServing

@Suite struct HandOverPolicyTests {
    private var policy = HandOverPolicy(depth: 4)

    private mutating func record(_ predict: TimeAmount, times: Int) {
        for _ in 0..<times { self.policy.record(predict) }
    }

    @Test mutating func `a slot holds one request until many in a row were quick`() {
        self.record(.zero, times: HandOverPolicy.enough - 1)
        #expect(self.policy.depth == 1)
        self.record(.zero, times: 1)
        #expect(self.policy.depth == 4)
    }

    @Test(
        arguments: [(.microseconds(1_999), 4), (.milliseconds(2), 1), (.seconds(60), 1)] as [(TimeAmount, Int)]
    )
    mutating func `what takes two milliseconds is slow, and costs more than was enough`(slow: TimeAmount, depth: Int) {
        self.record(.zero, times: HandOverPolicy.enough)
        self.policy.record(slow)
        #expect(self.policy.depth == depth)
        self.record(.zero, times: HandOverPolicy.enough - 1)
        #expect(self.policy.depth == depth)
        self.record(.zero, times: 1)
        #expect(self.policy.depth == 4)
    }

    @Test mutating func `after a long time of quick ones, one that is slow is forgiven, and a second is not`() {
        self.record(.zero, times: 100_000)
        self.policy.record(.seconds(1))
        #expect(self.policy.depth == 4)
        self.policy.record(.seconds(1))
        #expect(self.policy.depth == 1)
    }

    @Test(arguments: [5000, 2000, 1024, 800, 512, 400, 300, 200, 100, 50, 20])
    mutating func `whatever the share of slow ones, few others wait behind them`(oneIn: Int) {
        var chance = SplitMix(state: 6)
        var delayed = 0
        let count = 200_000
        for _ in 0..<count {
            let isSlow = Int.random(in: 0..<oneIn, using: &chance) == 0
            if isSlow { delayed += self.policy.depth - 1 }
            self.policy.record(isSlow ? .milliseconds(50) : .zero)
        }
        #expect(Double(delayed) / Double(count) < 0.0035)
    }
}

/// Steele, Lea and Flood: numbers that are the same in each run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
