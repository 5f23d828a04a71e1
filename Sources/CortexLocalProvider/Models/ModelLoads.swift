/// The loads that workers are at, and the versions that have ended workers.
///
/// A worker that ends while it loads something may have ended by it: a fault in a library's own code, or memory that ran
/// out. It can happen by chance once; the second time the version is not offered to be loaded any more, since every
/// worker that tried would end. Other content of the version is tried again.
struct ModelLoads: Sendable {
    struct Key: Hashable, Sendable {
        var model: String
        var version: String
        var generation: String
    }

    /// How often a worker may end by a load before it is left alone.
    static let limit = 2

    private var running: [String: [Key: ContinuousClock.Instant]] = [:]
    private var ends: [Key: Int] = [:]

    mutating func began(_ key: Key, in worker: String, at now: ContinuousClock.Instant) {
        self.running[worker, default: [:]][key] = now
    }

    mutating func ended(_ key: Key, in worker: String, isLoaded: Bool) {
        self.running[worker]?[key] = nil
        if isLoaded { self.ends[key] = nil }
    }

    /// - Returns: What is to be left alone from now on.
    mutating func workerEnded(_ worker: String) -> [Key] {
        let keys = self.running.removeValue(forKey: worker)?.keys.map { $0 } ?? []
        return keys.filter { key in
            self.ends[key, default: 0] += 1
            return self.ends[key] == Self.limit
        }
    }

    /// When the oldest load of a version that is under way began; nil where none is.
    func start(of model: String, version: String) -> ContinuousClock.Instant? {
        self.running.values.flatMap { loads in
            loads.filter { $0.key.model == model && $0.key.version == version }.values
        }.min()
    }
}
