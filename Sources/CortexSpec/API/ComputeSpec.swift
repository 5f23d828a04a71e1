/// The `compute` section: what one replica asks of its machine.
package struct ComputeSpec: Hashable, Sendable, Codable {
    /// Kubernetes quantities as the user wrote them (`200m`, `1.5`); nil asks for nothing.
    package var cpu: String?
    package var mem: String?
    package var gpu: Int
    package var inf: Int

    package init(cpu: String? = nil, mem: String? = nil, gpu: Int = 0, inf: Int = 0) {
        self.cpu = cpu
        self.mem = mem
        self.gpu = gpu
        self.inf = inf
    }
}
