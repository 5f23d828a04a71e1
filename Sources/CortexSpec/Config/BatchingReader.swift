/// Reads the `predictor.server_side_batching` section.
enum BatchingReader {
    static func read(
        of predictor: Section,
        type: PredictorType?,
        processes: Int,
        threads: Int,
        _ compute: ComputeSpec,
        _ context: ReadingContext
    ) -> BatchingSpec? {
        let key = "server_side_batching"
        guard let section = predictor.section(key, allowsNull: true) else { return nil }
        if let type, type != .tensorflow {
            predictor.fail(key, "is of type tensorflow only", allowed: "remove the key")
        } else {
            context.require(.serverSideBatching, key, of: predictor)
        }
        section.require("max_batch_size", allowed: "it must be a whole number from 2 to 1024")
        section.require("batch_interval", allowed: "it must be a duration, such as 20ms")
        let size = section.integer("max_batch_size", in: 2...1024)
        let interval = section.duration("batch_interval", allowed: "over 0s") { $0 > .zero }
        section.finish()
        guard let size, let interval else { return nil }
        let slots = compute.inf > 0 ? threads : processes * threads
        if !context.isPending(.serverSideBatching), size > slots {
            let factors = compute.inf > 0 ? "threads_per_process" : "processes_per_replica × threads_per_process"
            section.fail(
                "max_batch_size",
                "is \(size), and only \(slots) requests run at once",
                allowed: "at most \(factors)"
            )
        }
        return BatchingSpec(maxBatchSize: size, batchInterval: interval)
    }
}
