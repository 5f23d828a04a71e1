/// The `predictor.models` section: several models in one API.
package struct ModelsSpec: Hashable, Sendable, Codable {
    /// Models by name; empty where ``directory`` is given.
    package var paths: [NamedModelSpec]
    /// A place whose children are the models; nil where ``paths`` are given.
    package var directory: String?
    /// For the models of ``directory``, and those of ``paths`` without one of their own.
    package var signatureKey: String?
    /// Models kept in memory at once; nil keeps all.
    package var cacheSize: Int?
    /// Models kept on disk at once; given exactly where ``cacheSize`` is.
    package var diskCacheSize: Int?
    /// Memory over the process's own that models may take before the least used goes.
    package var cacheMemory: ByteCount?

    package init(
        paths: [NamedModelSpec] = [],
        directory: String? = nil,
        signatureKey: String? = nil,
        cacheSize: Int? = nil,
        diskCacheSize: Int? = nil,
        cacheMemory: ByteCount? = nil
    ) {
        self.paths = paths
        self.directory = directory
        self.signatureKey = signatureKey
        self.cacheSize = cacheSize
        self.diskCacheSize = diskCacheSize
        self.cacheMemory = cacheMemory
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            paths: try fields.decode(.paths, or: []),
            directory: try fields.decodeIfPresent(String.self, forKey: .directory),
            signatureKey: try fields.decodeIfPresent(String.self, forKey: .signatureKey),
            cacheSize: try fields.decodeIfPresent(Int.self, forKey: .cacheSize),
            diskCacheSize: try fields.decodeIfPresent(Int.self, forKey: .diskCacheSize),
            cacheMemory: try fields.decodeIfPresent(ByteCount.self, forKey: .cacheMemory)
        )
    }

    private enum CodingKeys: String, CodingKey {
        case paths
        case directory = "dir"
        case signatureKey = "signature_key"
        case cacheSize = "cache_size"
        case diskCacheSize = "disk_cache_size"
        case cacheMemory = "cache_memory"
    }
}

/// One entry of `predictor.models.paths`.
package struct NamedModelSpec: Hashable, Sendable, Codable {
    package var name: String
    /// Ends in `/`.
    package var modelPath: String
    package var signatureKey: String?

    package init(name: String, modelPath: String, signatureKey: String? = nil) {
        self.name = name
        self.modelPath = modelPath
        self.signatureKey = signatureKey
    }

    private enum CodingKeys: String, CodingKey {
        case name
        case modelPath = "model_path"
        case signatureKey = "signature_key"
    }
}
