import CortexGateway
import CortexServing
import CortexSpec
import Foundation

/// Carries what the queue says of a request to the gateway, in the gateway's words.
final class ResponderBridge: PredictResponder {
    private let responder: UpstreamResponder
    private let request: UpstreamRequest
    private let log: APILog

    init(responder: UpstreamResponder, request: UpstreamRequest, log: APILog) {
        self.responder = responder
        self.request = request
        self.log = log
    }

    func request(for arguments: PredictArguments) -> PredictRequest? {
        PredictRequest(self.request, arguments: arguments)
    }

    func receive(_ event: PredictEvent) {
        switch event {
        case .answer(let answer, let body, let timing):
            self.responder.receive(.answer(UpstreamAnswer(answer), UpstreamAnswerBody(body), UpstreamTiming(timing)))
        case .started: self.responder.receive(.started)
        case .head(let answer, let timing):
            self.responder.receive(.head(UpstreamAnswer(answer), UpstreamTiming(timing)))
        case .chunk(let bytes): self.responder.receive(.chunk(bytes))
        case .end(let isWhole, let timing): self.responder.receive(.end(isWhole: isWhole, UpstreamTiming(timing)))
        case .failed(let failure, let timing):
            if case .workerCrashed(let worker) = failure {
                let text = "\(worker) ended while it ran this request"
                self.log.write(
                    level: "error",
                    text,
                    version: timing.version ?? 0,
                    worker: worker,
                    requestID: self.request.id
                )
            }
            self.responder.receive(.failed(UpstreamFailure(failure), UpstreamTiming(timing)))
        }
    }
}

extension UpstreamAnswer {
    fileprivate init(_ answer: PredictAnswer) {
        self.init(
            status: answer.status,
            mediaType: answer.mediaType,
            headers: answer.headers.map { ($0.name, $0.value) }
        )
    }
}

extension UpstreamAnswerBody {
    fileprivate init(_ body: PredictBody) {
        self =
            switch body {
            case .bytes(let bytes, let tail): .bytes(bytes, tail: tail)
            case .file(let file): .file(descriptor: file.descriptor, size: file.size, owner: file)
            }
    }
}

extension UpstreamTiming {
    fileprivate init(_ timing: PredictTiming) {
        self.init(queue: timing.queue, predict: timing.predict, worker: timing.worker, version: timing.version)
    }
}

extension UpstreamFailure {
    init(_ failure: PredictFailure) {
        self =
            switch failure {
            case .queueFull(let depth, let limit, let retryAfter):
                .queueFull(depth: depth, limit: limit, retryAfter: retryAfter)
            case .notReady(let reason, let retryAfter): .notReady(reason: reason, retryAfter: retryAfter)
            case .draining: .draining
            case .deadlineExceeded(let started): .deadlineExceeded(started: started)
            case .workerCrashed(let worker): .crashed(worker: worker)
            case .refused(let status, let failure): .refused(UpstreamError(status: status, failure))
            }
    }
}

extension UpstreamError {
    fileprivate init(status: Int, _ failure: FailureFrame) {
        let detail = failure.detail.flatMap { try? JSONEncoder().encode($0) }
        self.init(
            status: (400...599).contains(status) ? status : 500,
            code: failure.code,
            message: failure.error,
            hint: failure.hint,
            detail: detail.map { String(decoding: $0, as: UTF8.self) },
            headers: (failure.headers ?? []).compactMap { $0.count == 2 ? ($0[0], $0[1]) : nil }
        )
    }
}
