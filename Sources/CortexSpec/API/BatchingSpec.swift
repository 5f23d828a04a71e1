/// The `predictor.server_side_batching` section: requests of several clients answered by one call of the model.
package struct BatchingSpec: Hashable, Sendable, Codable {
    /// 2 to 1024.
    package var maxBatchSize: Int
    /// How long the first request of a batch waits for others.
    @DurationText package var batchInterval: Duration

    package init(maxBatchSize: Int, batchInterval: Duration) {
        self.maxBatchSize = maxBatchSize
        self.batchInterval = batchInterval
    }

    private enum CodingKeys: String, CodingKey {
        case maxBatchSize = "max_batch_size"
        case batchInterval = "batch_interval"
    }
}
