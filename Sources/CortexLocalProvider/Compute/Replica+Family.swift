import CortexServing

extension Replica {
    /// Its workers, as those to whom other processes may belong.
    /// - Parameter projectDirectory: Of their version.
    func familyHeads(in projectDirectory: String) -> Set<WorkerFamilies.Worker> {
        Set(
            self.pids.map { WorkerFamilies.Worker(name: $0.key, pid: $0.value, projectDirectory: projectDirectory) }
        )
    }
}
