import NIOCore
import Synchronization

@testable import CortexServing

/// A sender that is not looked at.
struct SilentSender: PredictResponder {
    func receive(_ event: PredictEvent) {}
}

/// A sender whose events can be awaited.
struct RecordingSender: PredictResponder {
    let events: AsyncStream<PredictEvent>
    private let continuation: AsyncStream<PredictEvent>.Continuation

    init() { (self.events, self.continuation) = AsyncStream.makeStream() }

    func receive(_ event: PredictEvent) { self.continuation.yield(event) }

    var next: PredictEvent? {
        get async { await self.events.first { _ in true } }
    }
}

/// An instant that many seconds after the beginning of time.
func second(_ number: Int64) -> NIODeadline { .uptimeNanoseconds(UInt64(number) * 1_000_000_000) }

func request(
    _ id: UInt64,
    body: PredictRequest.Body = .inline(ByteBuffer(string: "{}")),
    deadline: NIODeadline = second(100),
    apiDeadline: NIODeadline? = nil,
    hops: UInt16 = 0
) -> PredictRequest {
    PredictRequest(
        id: id,
        requestID: "r-\(id)",
        payload: .json,
        meta: nil,
        body: body,
        deadline: deadline,
        apiDeadline: apiDeadline ?? deadline,
        hops: hops
    )
}
