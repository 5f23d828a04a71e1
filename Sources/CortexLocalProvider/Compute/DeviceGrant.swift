/// Devices that a replica has for itself.
struct DeviceGrant: Hashable, Sendable, CustomStringConvertible {
    var kind: DeviceKind
    /// As the device's own tools name them.
    var devices: [String]

    /// For logs: what its workers have.
    var description: String { "its workers have \(self.devices.map(self.kind.name).joined(separator: ", "))" }

    private static let coresPerChip = 4

    /// What every worker of the replica is told.
    var variables: [String: String] {
        switch self.kind {
        case .gpu:
            // The numbers are those of nvidia-smi, which counts by the bus; CUDA by itself puts the fastest first.
            ["CUDA_VISIBLE_DEVICES": self.devices.joined(separator: ","), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"]
        case .inferentia: [:]
        }
    }

    /// What each worker is told besides, by its index: a core of an Inferentia chip belongs to one process.
    func variablesByWorker(processes: Int) -> [[String: String]] {
        guard self.kind == .inferentia else { return [] }
        let cores = self.devices.compactMap { Int($0) }.flatMap { chip in
            (0..<Self.coresPerChip).map { chip * Self.coresPerChip + $0 }
        }
        // The configuration was checked: the cores can be shared out evenly.
        let share = cores.count / max(processes, 1)
        return (0..<processes).map { index in
            let own = cores[(index * share)..<((index + 1) * share)]
            return ["NEURON_RT_VISIBLE_CORES": Self.text(own)]
        }
    }

    /// `0-3`, or `0,1,8` where they are not in a row.
    private static func text(_ cores: ArraySlice<Int>) -> String {
        guard let first = cores.first, let last = cores.last, last > first, last - first == cores.count - 1 else {
            return cores.map(String.init).joined(separator: ",")
        }
        return "\(first)-\(last)"
    }
}
