/// What the workers of one version of an API can ask for.
///
/// Without a cache: what is on disk, whole. With one: everything in the source that is valid.
package struct ModelCatalog: Hashable, Sendable, Codable {
    package struct Version: Hashable, Sendable, Codable {
        /// Names the content; see ``VersionTree/generation(sourceKey:)``.
        package var generation: String
        /// When its newest file was written, in Unix seconds.
        package var modified: Int64
        /// Bytes of its files.
        package var size: Int64

        package init(generation: String, modified: Int64, size: Int64) {
            self.generation = generation
            self.modified = modified
            self.size = size
        }
    }

    package struct Model: Hashable, Sendable, Codable {
        package var signatureKey: String?
        /// Never empty in a catalog.
        package var versions: [ModelVersion: Version]

        package init(signatureKey: String? = nil, versions: [ModelVersion: Version] = [:]) {
            self.signatureKey = signatureKey
            self.versions = versions
        }

        /// Always with its `signature_key`, null where there is none.
        package func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(self.signatureKey, forKey: .signatureKey)
            try fields.encode(self.versions, forKey: .versions)
        }

        private enum CodingKeys: String, CodingKey {
            case signatureKey = "signature_key"
            case versions
        }
    }

    /// What became different: whole entries of the models that did.
    package struct Change: Hashable, Sendable, Codable {
        package var changed: [String: Model]
        package var removed: Set<String>

        package init(changed: [String: Model] = [:], removed: Set<String> = []) {
            self.changed = changed
            self.removed = removed
        }

        package var isEmpty: Bool { self.changed.isEmpty && self.removed.isEmpty }
    }

    package var models: [String: Model]

    package init(models: [String: Model] = [:]) {
        self.models = models
    }

    /// Whether a worker that asks for this generation has the newest word.
    func has(_ model: String, _ version: ModelVersion, generation: String) -> Bool {
        self.models[model]?.versions[version]?.generation == generation
    }
}
