import CortexGateway
import NIOCore
import NIOHTTP1

/// The answer of a replica, as far as it has come.
final class ReplicaAnswer {
    let head: UpstreamAnswer
    let timing: UpstreamTiming
    /// Nil for what a predictor answers, of whatever status.
    let error: ReplicaError?
    /// A worker has been at it.
    let isStarted: Bool
    let isKeptAlive: Bool
    /// It is gathered, and passed on once all of it is there.
    let isWhole: Bool
    private(set) var bytes = ByteBuffer()
    private let limit: Int

    /// Bytes of an error's JSON.
    private static let errorLimit = 1 << 20

    init(_ head: HTTPResponseHead, isStarted: Bool, elapsed: TimeAmount, wholeLimit: Int) {
        let headers = AnswerHeaders(head.headers)
        let isEmpty = head.status == .noContent || head.status == .notModified
        var answer = UpstreamAnswer(status: Int(head.status.code), mediaType: nil, headers: headers.passed)
        answer.errorCode = headers.error
        answer.length = headers.length
        self.head = answer
        self.timing = UpstreamTiming(
            // All but the prediction: the way there and back, and what it waited at either end.
            queue: headers.predict.map { max(elapsed - $0, .zero) } ?? elapsed,
            predict: headers.predict,
            worker: headers.worker,
            version: headers.version
        )
        self.error = headers.error.map {
            ReplicaError(code: $0, retryAfter: headers.retryAfter, isNotStarted: headers.isNotStarted)
        }
        self.isStarted = isStarted
        self.isKeptAlive = head.isKeepAlive
        self.limit = self.error == nil ? wholeLimit : Self.errorLimit
        self.isWhole = self.error != nil || isEmpty || headers.length.map { $0 <= wholeLimit } == true
    }

    /// False where it is more than may be gathered.
    func gather(_ bytes: ByteBuffer) -> Bool {
        guard self.bytes.readableBytes + bytes.readableBytes <= self.limit else { return false }
        if self.bytes.readableBytes == 0 { self.bytes = bytes } else { self.bytes.writeImmutableBuffer(bytes) }
        return true
    }
}
