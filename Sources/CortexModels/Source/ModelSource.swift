/// One place that an API takes models from.
package struct ModelSource: Hashable, Sendable {
    package var location: ModelLocation
    /// The path as the user wrote it, for messages.
    package var shown: String
    /// Which signature of the TensorFlow models here answers; nil lets the only one.
    package var signatureKey: String?
    /// Dotted path of the key that names it, below the API (`predictor.models.paths[1].model_path`).
    package var field: String

    package init(location: ModelLocation, shown: String, signatureKey: String? = nil, field: String) {
        self.location = location
        self.shown = shown
        self.signatureKey = signatureKey
        self.field = field
    }
}
