import CortexSpec

/// Holds what an API asks for against what the machine has, before it is deployed.
struct ComputeCheck {
    let machine: MachineCapacity
    /// Devices found, of the kinds that are asked for.
    let devices: [DeviceKind: Int]

    func problems(of compute: ComputeSpec) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        let processors = self.machine.processors
        if let text = compute.cpu, let cpu = compute.cpuQuantity, cpu.millicores > Int64(processors) * 1000 {
            problems.append(
                FieldProblem(
                    severity: .warning,
                    field: "compute.cpu",
                    message: "is \(text), and this machine has \(processors): thread counts follow the machine"
                )
            )
        }
        if let problem = self.memoryProblem(of: compute) { problems.append(problem) }
        for kind in DeviceKind.allCases {
            let wanted = kind.count(in: compute)
            guard let found = self.devices[kind], wanted > found else { continue }
            let error = DeviceError(kind: kind, wanted: wanted, found: found)
            problems.append(
                FieldProblem(field: "compute.\(kind.field)", message: error.message, allowed: error.allowed)
            )
        }
        return problems
    }

    private func memoryProblem(of compute: ComputeSpec) -> FieldProblem? {
        guard let text = compute.mem else { return nil }
        #if os(Linux)
        guard let limit = compute.memory, let memory = self.machine.memory, limit > memory else { return nil }
        let has = "\(memory.bytes >> 20) MiB"
        return FieldProblem(
            severity: .warning,
            field: "compute.mem",
            message: "is \(text), and this machine or its container has \(has): the kernel ends workers before that"
        )
        #else
        let message = "is \(text), and is not enforced on this system"
        return FieldProblem(severity: .warning, field: "compute.mem", message: message)
        #endif
    }
}
