import NIOCore

extension Replica {
    /// Has each of its workers answer a request of its own, before any client's.
    ///
    /// - Parameter request: Makes the request anew for each.
    /// - Returns: Why one did not answer it well, in a sentence; nil where all did.
    package func answerSample(_ request: @escaping @Sendable () -> PredictRequest) async -> String? {
        let queue = self.queue
        let workers = self.workers.indices.map { self.workerName($0) }
        return await withTaskGroup(of: String?.self) { group in
            for worker in workers {
                group.addTask { await Self.answerSample(request(), worker: worker, queue) }
            }
            var failure: String?
            for await each in group { failure = failure ?? each }
            return failure
        }
    }

    private static func answerSample(
        _ request: PredictRequest,
        worker: String,
        _ queue: AdmissionQueue
    ) async -> String? {
        let sender = SampleSender()
        guard await queue.submitSample(request, to: worker, sender) else {
            return "\(worker) has no free thread for it"
        }
        var status: Int?
        for await event in sender.events {
            switch event {
            case .answer(let answer, _, _): return self.failure(status: answer.status, worker)
            case .head(let answer, _): status = answer.status
            case .chunk, .started: break
            case .end(let isWhole, _):
                return isWhole ? self.failure(status: status ?? 0, worker) : "\(worker) broke its answer off"
            case .failed(let failure, _): return self.text(of: failure, worker)
            }
        }
        return nil
    }

    private static func failure(status: Int, _ worker: String) -> String? {
        (200..<300).contains(status) ? nil : "\(worker) answered it with status \(status)"
    }

    private static func text(of failure: PredictFailure, _ worker: String) -> String {
        switch failure {
        case .refused(let status, let failure): "\(worker) answered it with status \(status): \(failure.error)"
        case .deadlineExceeded: "\(worker) did not answer it in time"
        case .workerCrashed: "\(worker) ended while it ran it"
        case .queueFull, .notReady, .draining: "\(worker) was ended before it had answered it"
        }
    }
}

/// Takes what becomes of a sample.
private struct SampleSender: PredictResponder {
    let events: AsyncStream<PredictEvent>
    private let continuation: AsyncStream<PredictEvent>.Continuation

    init() {
        // As much as one answer has: few events, unless it streams.
        (self.events, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    func receive(_ event: PredictEvent) { self.continuation.yield(event) }

    func request(for arguments: PredictArguments) -> PredictRequest? { nil }
}
