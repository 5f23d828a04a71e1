import NIOCore
import Synchronization

@testable import CortexServing

/// A sender that is not looked at.
struct SilentSender: PredictResponder {
    func receive(_ event: PredictEvent) {}

    func request(for arguments: PredictArguments) -> PredictRequest? { nil }
}

/// A sender whose events can be awaited.
struct RecordingSender: PredictResponder {
    let events: AsyncStream<PredictEvent>
    private let continuation: AsyncStream<PredictEvent>.Continuation

    init() { (self.events, self.continuation) = AsyncStream.makeStream() }

    func receive(_ event: PredictEvent) { self.continuation.yield(event) }

    func request(for arguments: PredictArguments) -> PredictRequest? { nil }

    var next: PredictEvent? {
        get async { await self.events.first { _ in true } }
    }
}

/// An instant that many seconds after the beginning of time.
func second(_ number: Int64) -> NIODeadline { .uptimeNanoseconds(UInt64(number) * 1_000_000_000) }

func request(
    _ id: UInt64,
    arguments: PredictArguments = .payload,
    body: PredictRequest.Body = .inline(ByteBuffer(string: "{}")),
    deadline: NIODeadline = second(100),
    apiDeadline: NIODeadline? = nil,
    hops: UInt16 = 0
) -> PredictRequest {
    PredictRequest(
        id: id,
        requestID: "r-\(id)",
        arguments: arguments,
        payload: .json,
        meta: nil,
        body: body,
        deadline: deadline,
        apiDeadline: apiDeadline ?? deadline,
        hops: hops
    )
}

extension AdmissionState {
    /// A slot of a replica that has been let in, which is the same for all of them.
    mutating func slotOpened(worker: String) -> SlotIndex {
        self.admitOnly()
        self.workerBecameReady(worker)
        return self.slotOpened(worker: worker, replica: "only")
    }

    /// That replica's workers do not stay alive.
    mutating func failfast(reason: String, until: NIODeadline) -> [Entry] {
        self.admitOnly()
        return self.failfast("only", reason: reason, until: until)
    }

    private mutating func admitOnly() {
        guard self.members["only"] == nil else { return }
        self.join("only", version: 3)
        self.admit("only", arguments: .payload)
    }
}
