/// The `compute` section: what one replica asks of its machine.
package struct ComputeSpec: Hashable, Sendable, Codable {
    /// Kubernetes quantities as the user wrote them (`200m`, `1.5`); nil asks for nothing.
    package var cpu: String?
    package var mem: String?
    package var gpu: Int
    package var inf: Int

    /// ``cpu`` as a number; nil where none is asked for.
    package var cpuQuantity: CPUQuantity? { self.cpu.flatMap(CPUQuantity.init(quantity:)) }
    /// ``mem`` as a number; nil where none is asked for.
    package var memory: ByteCount? { self.mem.flatMap(ByteCount.init(quantity:)) }

    package init(cpu: String? = nil, mem: String? = nil, gpu: Int = 0, inf: Int = 0) {
        self.cpu = cpu
        self.mem = mem
        self.gpu = gpu
        self.inf = inf
    }
}
