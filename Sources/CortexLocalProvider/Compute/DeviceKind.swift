import CortexSpec

/// What `compute` may ask for by number, and gets for itself.
enum DeviceKind: Hashable, Sendable, CaseIterable {
    case gpu
    /// An AWS Inferentia chip, of four cores.
    case inferentia

    /// Its key below `compute`.
    var field: String {
        switch self {
        case .gpu: "gpu"
        case .inferentia: "inf"
        }
    }

    func count(in compute: ComputeSpec) -> Int {
        switch self {
        case .gpu: compute.gpu
        case .inferentia: compute.inf
        }
    }

    /// `1 GPU`, `2 GPUs`.
    func amount(_ count: Int) -> String {
        switch self {
        case .gpu: count == 1 ? "1 GPU" : "\(count) GPUs"
        case .inferentia: count == 1 ? "1 Inferentia chip" : "\(count) Inferentia chips"
        }
    }

    /// One of them, as messages call it.
    func name(_ id: String) -> String {
        switch self {
        case .gpu: "GPU \(id)"
        case .inferentia: "Inferentia chip \(id)"
        }
    }
}
