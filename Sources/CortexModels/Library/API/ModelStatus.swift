/// What users see of a model's version, or of a model that has none.
package struct ModelStatus: Hashable, Sendable {
    package var model: String
    /// Nil where the model as a whole cannot be served.
    package var version: ModelVersion?
    package var generation: String?
    /// When its newest file was written, in Unix seconds.
    package var modified: Int64?
    /// Bytes of its files.
    package var size: Int64?
    package var isOnDisk: Bool
    /// Whether it is the highest version that workers are offered.
    package var isLatest: Bool
    /// Why it is not served, or not as it is in the source now; a sentence.
    package var error: String?

    package init(
        model: String,
        version: ModelVersion? = nil,
        generation: String? = nil,
        modified: Int64? = nil,
        size: Int64? = nil,
        isOnDisk: Bool = false,
        isLatest: Bool = false,
        error: String? = nil
    ) {
        self.model = model
        self.version = version
        self.generation = generation
        self.modified = modified
        self.size = size
        self.isOnDisk = isOnDisk
        self.isLatest = isLatest
        self.error = error
    }
}
