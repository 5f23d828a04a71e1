import CortexSpec

/// What each container of a replica gets of its API's `compute`.
///
/// The processor is asked for and not capped; memory is both. Of what is asked for, a model server beside the workers gets half,
/// and all devices, since the models run there; either may grow to the whole of the memory.
struct ComputeShare: Sendable {
    private let compute: ComputeSpec
    private let hasServing: Bool

    init(_ compute: ComputeSpec, hasServing: Bool) {
        self.compute = compute
        self.hasServing = hasServing
    }

    /// It is over before the others start.
    var ofPreparation: JSONValue { self.resources(cpu: self.compute.cpu, memory: self.compute.mem, hasDevices: false) }

    var ofWorkers: JSONValue {
        guard self.hasServing else {
            return self.resources(cpu: self.compute.cpu, memory: self.compute.mem, hasDevices: true)
        }
        let cpu = self.compute.cpuQuantity.map { CPUQuantity(millicores: $0.millicores - $0.millicores / 2) }
        let memory = self.compute.memory.map { ByteCount($0.bytes - $0.bytes / 2) }
        return self.resources(cpu: cpu?.description, memory: memory?.description, hasDevices: false)
    }

    /// Of the model server.
    var ofServing: JSONValue {
        let cpu = self.compute.cpuQuantity.map { CPUQuantity(millicores: $0.millicores / 2) }
        let memory = self.compute.memory.map { ByteCount($0.bytes / 2) }
        return self.resources(cpu: cpu?.description, memory: memory?.description, hasDevices: true)
    }

    private func resources(cpu: String?, memory: String?, hasDevices: Bool) -> JSONValue {
        var requests: [String: JSONValue] = [:]
        var limits: [String: JSONValue] = [:]
        if let cpu { requests["cpu"] = .string(cpu) }
        if let memory { requests["memory"] = .string(memory) }
        if let limit = self.compute.mem { limits["memory"] = .string(limit) }
        if hasDevices {
            for (name, count) in [("nvidia.com/gpu", self.compute.gpu), ("aws.amazon.com/neuron", self.compute.inf)]
            where count > 0 {
                requests[name] = .string("\(count)")
                limits[name] = .string("\(count)")
            }
        }
        return ["requests": .object(requests), "limits": .object(limits)]
    }
}
