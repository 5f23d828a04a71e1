import NIOCore

/// A whole answer that is on its way to a reader who takes it more slowly than it was written.
///
/// Made only for those: most answers leave in the write that they are written with.
final class LeavingAnswer {
    let exchange: Exchange
    let status: Int
    let timing: UpstreamTiming
    let errorCode: String?

    init(_ exchange: Exchange, status: Int, _ timing: UpstreamTiming, errorCode: String?) {
        self.exchange = exchange
        self.status = status
        self.timing = timing
        self.errorCode = errorCode
    }
}
