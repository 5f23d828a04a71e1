package import NIOCore

/// What becomes of a request, as its sender hears of it.
///
/// Either one `answer`; or `head`, any number of `chunk`s and one `end`; or one `failed`. Nothing follows the last of them,
/// and nothing at all follows a cancellation by the sender. Before them come any number of `started`, where that is wanted.
package enum PredictEvent: Sendable {
    case answer(PredictAnswer, PredictBody, PredictTiming)
    case head(PredictAnswer, PredictTiming)
    /// A worker is about to get it, and may start it at any time from now on.
    case started
    case chunk(ByteBuffer)
    /// - Parameter isWhole: False where the predictor broke off midway.
    case end(isWhole: Bool, PredictTiming)
    case failed(PredictFailure, PredictTiming)
}

/// Status and headers of an answer.
package struct PredictAnswer: Hashable, Sendable {
    package var status: Int
    package var mediaType: String?
    package var headers: [AnswerFrame.Header]
}

/// The body of a whole answer.
package enum PredictBody: Sendable {
    /// - Parameter tail: What follows, of a large one: in the memory that it was read into.
    case bytes(ByteBuffer, tail: [ByteBuffer] = [])
    case file(OpenedFile)
}

/// How long a request waited and ran; nil for what it never came to.
package struct PredictTiming: Hashable, Sendable {
    package var queue: TimeAmount?
    package var predict: TimeAmount?
    /// The worker that ran it.
    package var worker: String?
    /// The version of the API that the worker is of.
    package var version: Int?
}

/// Why there is no answer of the predictor's.
package enum PredictFailure: Hashable, Sendable {
    /// The bound of the queue is reached: `depth` requests are there, and will be gone in `retryAfter` seconds.
    case queueFull(depth: Int, limit: Int, retryAfter: Int)
    /// No worker could answer; the next is started in `retryAfter` seconds.
    case notReady(reason: String, retryAfter: Int)
    case draining
    /// - Parameter started: Whether `predict` may have been called.
    case deadlineExceeded(started: Bool)
    /// The worker ended while it ran this request.
    case workerCrashed(worker: String)
    /// An error answer in the worker's own words.
    case refused(status: Int, FailureFrame)
}

/// Where the events of one request go.
///
/// Called on the queue's event loop.
package protocol PredictResponder: Sendable {
    func receive(_ event: PredictEvent)

    /// The same request once more, with what a predictor of another version names of it; nil where it cannot be made.
    func request(for arguments: PredictArguments) -> PredictRequest?
}
