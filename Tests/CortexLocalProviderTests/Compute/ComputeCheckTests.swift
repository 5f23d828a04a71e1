import CortexSpec
import Testing

@testable import CortexLocalProvider

@Suite struct ComputeCheckTests {
    private static let machine = MachineCapacity(processors: 4, memory: .gibibytes(8))

    private func problems(_ compute: ComputeSpec, _ devices: [DeviceKind: Int] = [:]) -> [FieldProblem] {
        ComputeCheck(machine: Self.machine, devices: devices).problems(of: compute)
    }

    @Test func `what the machine has may be asked for`() {
        #expect(self.problems(ComputeSpec()) == [])
        #expect(self.problems(ComputeSpec(cpu: "4", gpu: 2), [.gpu: 2]) == [])
        #expect(self.problems(ComputeSpec(cpu: "20m", inf: 1), [.inferentia: 1]) == [])
    }

    @Test func `devices that are not there are an error`() {
        let problems = self.problems(ComputeSpec(gpu: 3), [.gpu: 2])
        #expect(
            problems.map(\.description) == ["compute.gpu: asks for 3 GPUs, and this machine has 2; it may be at most 2"]
        )
        #expect(problems.first?.severity == .error)
        let none = self.problems(ComputeSpec(inf: 1), [.inferentia: 0])
        #expect(
            none.map(\.description) == [
                "compute.inf: asks for 1 Inferentia chip, and this machine has none; there is no /dev/neuron0: remove it, "
                    + "or deploy to a machine that has one"
            ]
        )
    }

    @Test func `processors beyond those of the machine are a warning`() {
        let problems = self.problems(ComputeSpec(cpu: "4001m"))
        #expect(
            problems.map(\.description) == [
                "compute.cpu: is 4001m, and this machine has 4: thread counts follow the machine"
            ]
        )
        #expect(problems.first?.severity == .warning)
    }

    #if os(Linux)
    @Test func `a limit above the machine's memory is a warning`() {
        #expect(self.problems(ComputeSpec(mem: "8Gi")) == [])
        let problems = self.problems(ComputeSpec(mem: "16Gi"))
        #expect(problems.first?.message.hasPrefix("is 16Gi, and this machine or its container has 8192 MiB") == true)
        #expect(problems.first?.severity == .warning)
    }
    #else
    @Test func `a limit that nobody enforces is a warning`() {
        #expect(self.problems(ComputeSpec(mem: "1Gi")).map(\.severity) == [.warning])
    }
    #endif
}
