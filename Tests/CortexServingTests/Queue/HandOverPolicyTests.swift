import NIOCore
import Testing

@testable import CortexServing

@Suite struct HandOverPolicyTests {
    private var policy = HandOverPolicy(depth: 4)

    private mutating func record(_ predict: TimeAmount, times: Int) {
        for _ in 0..<times { self.policy.record(predict) }
    }

    @Test mutating func `a slot holds one request until many in a row were quick`() {
        self.record(.zero, times: HandOverPolicy.window - 1)
        #expect(self.policy.depth == 1)
        self.record(.zero, times: 1)
        #expect(self.policy.depth == 4)
    }

    @Test(
        arguments: [(.microseconds(1_999), 4), (.milliseconds(2), 1), (.seconds(60), 1)] as [(TimeAmount, Int)]
    )
    mutating func `one that is slow ends it until as many were quick again`(slowest: TimeAmount, depth: Int) {
        self.record(.zero, times: HandOverPolicy.window + 9)
        self.policy.record(slowest)
        #expect(self.policy.depth == depth)
        self.record(.zero, times: HandOverPolicy.window - 1)
        #expect(self.policy.depth == depth)
        self.record(.zero, times: 1)
        #expect(self.policy.depth == 4)
    }
}
