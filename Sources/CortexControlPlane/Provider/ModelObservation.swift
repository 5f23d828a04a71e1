package import CortexSpec

/// What is seen of the models of an API.
package struct ModelObservations: Hashable, Sendable, Codable {
    /// By name, and then by version.
    package var versions: [ModelObservation]
    /// What is wrong with the places that they come from, a sentence each; the models that are there serve on.
    package var troubles: [String]

    package init(versions: [ModelObservation] = [], troubles: [String] = []) {
        self.versions = versions
        self.troubles = troubles
    }
}

/// What is seen of one version of a model of an API, or of a model that has none.
package struct ModelObservation: Hashable, Sendable, Codable {
    package var name: String
    /// Nil where the model as a whole is not to be had; ``error`` says why.
    package var version: String?
    /// Whether it is the version that answers who names none.
    package var isLatest: Bool
    /// When it was last changed where it comes from, in unix seconds.
    package var modified: Int64?
    /// Bytes of its files.
    package var size: Int64?
    package var isOnDisk: Bool
    /// How many workers have it in memory.
    package var loadedBy: Int
    /// What the last load took; nil before the first.
    package var loadSeconds: Double?
    /// By name; nil until a worker has loaded it, and for models of Python predictors.
    package var inputs: [String: ModelTensor]?
    package var outputs: [String: ModelTensor]?
    package var signatureKey: String?
    /// Why it is not to be had, or not the newest of it; a sentence.
    package var error: String?

    package init(
        name: String,
        version: String?,
        isLatest: Bool,
        modified: Int64?,
        size: Int64?,
        isOnDisk: Bool,
        loadedBy: Int = 0,
        loadSeconds: Double? = nil,
        inputs: [String: ModelTensor]? = nil,
        outputs: [String: ModelTensor]? = nil,
        signatureKey: String? = nil,
        error: String? = nil
    ) {
        self.name = name
        self.version = version
        self.isLatest = isLatest
        self.modified = modified
        self.size = size
        self.isOnDisk = isOnDisk
        self.loadedBy = loadedBy
        self.loadSeconds = loadSeconds
        self.inputs = inputs
        self.outputs = outputs
        self.signatureKey = signatureKey
        self.error = error
    }

    private enum CodingKeys: String, CodingKey {
        case name, version, modified, size, error
        case isLatest = "is_latest"
        case isOnDisk = "is_on_disk"
        case loadedBy = "loaded_by"
        case loadSeconds = "load_seconds"
        case inputs = "input_signatures"
        case outputs = "output_signatures"
        case signatureKey = "signature_key"
    }
}

/// Shape and type of an input or output.
package struct ModelTensor: Hashable, Sendable, Codable {
    /// A list of sizes; names stand for free ones, null for those without.
    package var shape: JSONValue
    /// As numpy calls it: `float32`.
    package var type: String

    package init(shape: JSONValue, type: String) {
        self.shape = shape
        self.type = type
    }
}
