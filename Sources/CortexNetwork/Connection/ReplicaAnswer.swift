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
        let headers = head.headers
        let length = headers.first(name: "content-length").flatMap { Int($0) }
        let isEmpty = head.status == .noContent || head.status == .notModified
        var answer = UpstreamAnswer(
            status: Int(head.status.code),
            mediaType: nil,
            headers: GatewayHeaders.passedOn(headers)
        )
        answer.errorCode = headers.first(name: ReplicaProtocol.error)
        answer.length = length
        self.head = answer
        self.timing = GatewayHeaders.timing(headers, elapsed: elapsed)
        self.error = answer.errorCode.map {
            ReplicaError(
                code: $0,
                retryAfter: headers.first(name: "retry-after").flatMap { Int($0) },
                isNotStarted: headers.contains(name: ReplicaProtocol.notStarted)
            )
        }
        self.isStarted = isStarted
        self.isKeptAlive = head.isKeepAlive
        self.limit = self.error == nil ? wholeLimit : Self.errorLimit
        self.isWhole = self.error != nil || isEmpty || length.map { $0 <= wholeLimit } == true
    }

    /// False where it is more than may be gathered.
    func gather(_ bytes: ByteBuffer) -> Bool {
        guard self.bytes.readableBytes + bytes.readableBytes <= self.limit else { return false }
        if self.bytes.readableBytes == 0 { self.bytes = bytes } else { self.bytes.writeImmutableBuffer(bytes) }
        return true
    }
}
