import NIOCore
import Testing

@testable import CortexServing

@Suite struct HandOverPolicyTests {
    private var policy = HandOverPolicy()

    private mutating func record(_ predict: TimeAmount, times: Int) {
        for _ in 0..<times { self.policy.record(predict) }
    }

    @Test mutating func `a slot holds one request until a hundred were quick`() {
        self.record(.zero, times: HandOverPolicy.window - 1)
        #expect(self.policy.depth == 1)
        self.record(.zero, times: 1)
        #expect(self.policy.depth == HandOverPolicy.greatestDepth)
    }

    @Test(
        arguments: [(.microseconds(1_999), 4), (.milliseconds(2), 1), (.seconds(60), 1)] as [(TimeAmount, Int)]
    )
    mutating func `the slowest of the last hundred decides`(slowest: TimeAmount, depth: Int) {
        self.record(.zero, times: 250)
        self.policy.record(slowest)
        #expect(self.policy.depth == depth)
        self.record(.zero, times: HandOverPolicy.window - 1)
        #expect(self.policy.depth == depth)
        self.record(.zero, times: 1)
        #expect(self.policy.depth == 4)
    }
}
