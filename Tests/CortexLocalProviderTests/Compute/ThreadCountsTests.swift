import CortexSpec
import Testing

@testable import CortexLocalProvider

@Suite struct ThreadCountsTests {
    @Test(
        arguments: [
            ("2", 1, 2), ("2", 2, 1), ("3", 2, 2), ("200m", 1, 1), ("1500m", 1, 2), ("1500m", 4, 1), ("20m", 100, 1),
            // No more than the machine has.
            ("64", 1, 8), ("64", 2, 4),
        ]
    )
    func `the share of a process is rounded up`(cpu: String, processes: Int, threads: Int) {
        let machine = MachineCapacity(processors: 8)
        #expect(ThreadCounts.perProcess(of: ComputeSpec(cpu: cpu), processes: processes, on: machine) == threads)
    }

    @Test func `without cpu nothing is said, unless a quota makes the machine look larger than it is`() {
        #expect(ThreadCounts.perProcess(of: ComputeSpec(), processes: 1, on: MachineCapacity(processors: 8)) == nil)
        let container = MachineCapacity(processors: 3, hasQuota: true)
        #expect(ThreadCounts.perProcess(of: ComputeSpec(), processes: 1, on: container) == 3)
        #expect(ThreadCounts.perProcess(of: ComputeSpec(), processes: 2, on: container) == 2)
        #expect(ThreadCounts.perProcess(of: ComputeSpec(cpu: "1"), processes: 1, on: container) == 1)
    }
}
