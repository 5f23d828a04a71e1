package import CortexSpec

/// `ENSURE`: a worker wants one version of a model on disk, and keeps it there until it says that it has let go.
package struct EnsureMessage: Hashable, Sendable, Codable {
    package var model: String
    /// A whole number in digits.
    package var version: String
    /// Which content of that version the worker has heard of.
    package var generation: String
}

/// `ENSURED`: where the version is, or why it is not to be had.
package enum EnsuredMessage: Hashable, Sendable {
    /// The folder with the version's files.
    case ready(path: String)
    /// `code` is `MODEL_NOT_FOUND` or `MODEL_UNAVAILABLE`; `error` a sentence for the predictor's author.
    case failed(code: String, error: String)

    /// The message as it is sent.
    var json: JSONValue {
        switch self {
        case .ready(let path): .object(["path": .string(path)])
        case .failed(let code, let error): .object(["code": .string(code), "error": .string(error)])
        }
    }
}

/// `MODEL`: what became of one version of a model in a worker's memory.
package struct ModelMessage: Hashable, Sendable, Codable {
    package enum Event: String, Hashable, Sendable, Codable {
        /// It answers from now on.
        case loaded
        /// It could not be loaded; the worker no longer needs its files.
        case failed
        /// It is gone from memory; the worker no longer needs its files.
        case unloaded
    }

    /// The name and type of one input or output of a model.
    package struct Tensor: Hashable, Sendable, Codable {
        /// Sizes, names of free ones, null where neither is known.
        package var shape: JSONValue
        package var type: String
    }

    package var event: Event
    package var model: String
    package var version: String
    package var generation: String
    /// How long it took to load, the wait for its files not counted.
    package var seconds: Double?
    /// What it takes of the worker's memory, as far as that can be told.
    package var bytes: Int64?
    package var inputs: [String: Tensor]?
    package var outputs: [String: Tensor]?
    package var signatureKey: String?
    package var error: String?
    package var traceback: String?
    /// Why it was unloaded: `evicted`, `replaced`, `removed`.
    package var reason: String?

    private enum CodingKeys: String, CodingKey {
        case event, model, version, generation, seconds, bytes, inputs, outputs, error, traceback, reason
        case signatureKey = "signature_key"
    }
}

/// `COUNTED`: how often a worker's models were there already, and how often not, since it started.
package struct ModelCounts: Hashable, Sendable, Codable {
    package var hits: Int
    package var misses: Int

    package init(hits: Int = 0, misses: Int = 0) {
        self.hits = hits
        self.misses = misses
    }

    package static func + (lhs: Self, rhs: Self) -> Self {
        Self(hits: lhs.hits + rhs.hits, misses: lhs.misses + rhs.misses)
    }

    /// The larger one of each number.
    package func orMore(_ other: Self) -> Self {
        Self(hits: max(self.hits, other.hits), misses: max(self.misses, other.misses))
    }
}
