/// The `monitoring` section of the original: what to count of predictions.
///
/// It is kept, and without effect here.
package struct MonitoringSpec: Hashable, Sendable, Codable {
    package enum ModelType: String, Hashable, Sendable, Codable, CaseIterable {
        case classification, regression
    }

    package var modelType: ModelType
    /// The key of a prediction that holds what is counted; nil counts the prediction itself.
    package var key: String?

    package init(modelType: ModelType, key: String? = nil) {
        self.modelType = modelType
        self.key = key
    }

    private enum CodingKeys: String, CodingKey {
        case key
        case modelType = "model_type"
    }
}
