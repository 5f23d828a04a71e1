import CortexModels
import CortexServing

/// What the workers of one version of an API have said of the models in their memory.
struct ModelMemory: Sendable {
    struct Key: Hashable, Sendable {
        var model: String
        var version: String
    }

    /// What is known of a version since some worker has loaded it.
    struct Description: Sendable {
        var seconds: Double?
        var inputs: [String: ModelMessage.Tensor]?
        var outputs: [String: ModelMessage.Tensor]?
        var signatureKey: String?
    }

    /// One content of a version, in the memory of a worker.
    private struct Resident: Hashable {
        var key: Key
        var generation: String
    }

    private var loaded: [String: Set<Resident>] = [:]
    private(set) var descriptions: [Key: Description] = [:]
    /// Versions whose newest content did not load, with that content's generation.
    private(set) var failures: [Key: (generation: String, error: String)] = [:]

    /// Models in memory, each as often as there are workers that hold it.
    ///
    /// While one content takes the place of another, both are there.
    var count: Int { self.loaded.values.reduce(0) { $0 + $1.count } }

    /// In how many workers each version is.
    var holders: [Key: Int] {
        self.loaded.values.reduce(into: [:]) { holders, residents in
            for key in Set(residents.map(\.key)) { holders[key, default: 0] += 1 }
        }
    }

    mutating func received(_ message: ModelMessage, from worker: String) {
        let key = Key(model: message.model, version: message.version)
        switch message.event {
        case .loaded:
            self.loaded[worker, default: []].insert(Resident(key: key, generation: message.generation))
            self.failures[key] = nil
            self.descriptions[key] = Description(
                seconds: message.seconds,
                inputs: message.inputs,
                outputs: message.outputs,
                signatureKey: message.signatureKey
            )
        case .failed:
            self.failures[key] = (message.generation, message.error ?? "it could not be loaded")
        case .unloaded:
            self.loaded[worker]?.remove(Resident(key: key, generation: message.generation))
        }
    }

    mutating func ended(_ worker: String) {
        self.loaded[worker] = nil
    }

    /// Forgets what there is no more.
    mutating func keep(only known: (Key) -> Bool) {
        self.descriptions = self.descriptions.filter { known($0.key) }
        self.failures = self.failures.filter { known($0.key) }
    }
}
