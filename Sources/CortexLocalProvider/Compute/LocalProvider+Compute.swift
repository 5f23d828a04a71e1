import CortexControlPlane
package import CortexSpec

extension LocalProvider {
    package func computeProblems(of specs: [ResourceSpec]) async -> [APIName: [FieldProblem]] {
        var devices: [DeviceKind: Int] = [:]
        let apis = specs.compactMap(\.api)
        for kind in DeviceKind.allCases where apis.contains(where: { kind.count(in: $0.compute) > 0 }) {
            devices[kind] = await self.machine.devices.count(kind)
        }
        let check = ComputeCheck(machine: self.machine.capacity, devices: devices)
        let keys = KeyReader(environment: self.machine.environment)
        let problems = specs.map { spec in
            let ofCompute = spec.api.map { check.problems(of: $0.compute) } ?? []
            return (spec.name, ofCompute + keys.problems(of: spec.networking.apiKeys))
        }.filter { !$0.1.isEmpty }
        return Dictionary(problems) { $0 + $1 }
    }
}
