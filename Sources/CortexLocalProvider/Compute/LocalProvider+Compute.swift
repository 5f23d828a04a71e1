import CortexControlPlane
package import CortexSpec

extension LocalProvider {
    package func computeProblems(of specs: [APISpec]) async -> [APIName: [FieldProblem]] {
        var devices: [DeviceKind: Int] = [:]
        for kind in DeviceKind.allCases where specs.contains(where: { kind.count(in: $0.compute) > 0 }) {
            devices[kind] = await self.machine.devices.count(kind)
        }
        let check = ComputeCheck(machine: self.machine.capacity, devices: devices)
        let keys = KeyReader(environment: self.machine.environment)
        let problems = specs.map {
            ($0.name, check.problems(of: $0.compute) + keys.problems(of: $0.networking.apiKeys))
        }.filter { !$0.1.isEmpty }
        return Dictionary(problems) { $0 + $1 }
    }
}
