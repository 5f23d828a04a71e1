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

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let standard = Self()
        self.init(
            cpu: try fields.decodeIfPresent(String.self, forKey: .cpu),
            mem: try fields.decodeIfPresent(String.self, forKey: .mem),
            gpu: try fields.decode(.gpu, or: standard.gpu),
            inf: try fields.decode(.inf, or: standard.inf)
        )
    }
}
