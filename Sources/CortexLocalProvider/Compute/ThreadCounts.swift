import CortexSpec

/// How many threads numeric libraries are told to use in each process of an API.
///
/// Left alone, each process starts one for every processor of the machine, whatever it was given of it.
enum ThreadCounts {
    /// Read by OpenMP, BLAS and MKL builds, numexpr, Apple's vecLib, Rust libraries (tokenizers, polars) and TensorFlow.
    ///
    /// onnxruntime reads none of them: the worker passes `OMP_NUM_THREADS` on.
    static let variables = [
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS", "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    ]

    /// `cpu` shared by the processes, rounded up, and no more than the machine has for one of them; nil where neither the
    /// user nor a quota asks for less than all.
    static func perProcess(of compute: ComputeSpec, processes: Int, on machine: MachineCapacity) -> Int? {
        var millicores = Int64(machine.processors) * 1000
        if let wanted = compute.cpuQuantity?.millicores {
            millicores = min(millicores, wanted)
        } else if !machine.hasQuota {
            return nil
        }
        let share = Int64(max(processes, 1)) * 1000
        return Int((millicores + share - 1) / share)
    }

    static func variables(for spec: APISpec, on machine: MachineCapacity) -> [String: String] {
        let processes = spec.predictor.processesPerReplica
        guard let count = self.perProcess(of: spec.compute, processes: processes, on: machine) else { return [:] }
        return Dictionary(self.variables.map { ($0, "\(count)") }) { $1 }
    }
}
