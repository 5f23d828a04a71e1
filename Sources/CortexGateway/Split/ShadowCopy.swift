import CortexSpec
import CortexTelemetry
import NIOCore

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A copy of a request, on its way to an API whose answer nobody waits for.
///
/// It shares the request's bytes, or has a second link to its file. Its client never learns of it: it is sent after the request
/// itself, and what becomes of it is counted, and no more. It stays on the event loop of the request's connection.
final class ShadowCopy {
    /// Why a request was not copied; the label of a metric.
    enum Obstacle: String, Error {
        case notReady = "not_ready"
        case bodyTooLarge = "body_too_large"
        /// The spool has no room for the file as long as the copy may need it.
        case spoolFull = "spool_full"
    }

    private let loop: LoopContext
    private let splitter: APIName
    private let route: Route
    /// Nil once it is sent.
    private var request: UpstreamRequest?
    /// Its body, if that is in a file.
    private let file: (path: String, size: Int)?
    private let begun: NIODeadline
    /// Of a streamed answer, once it has begun.
    private var status = 500

    /// Takes what the copy needs of a request, which must not be sent before that: who reads its file unlinks it.
    ///
    /// - Returns: Nil where it is not to be copied, or cannot be.
    static func take(_ request: UpstreamRequest, ledBy splitter: Route, _ loop: LoopContext) -> ShadowCopy? {
        // The routes of now: weights may have changed while the body came in.
        guard let split = loop.routes.route(of: splitter.api)?.split, let api = split.takeCopyTurn() else { return nil }
        do throws(Obstacle) {
            return try Self.make(request, api, ledBy: splitter.api, loop)
        } catch {
            loop.count(api, ledBy: splitter.api, asCopy: true) { $0.wasShed(reason: error.rawValue) }
            return nil
        }
    }

    private static func make(
        _ request: UpstreamRequest,
        _ api: APIName,
        ledBy splitter: APIName,
        _ loop: LoopContext
    ) throws(Obstacle) -> ShadowCopy {
        guard let route = loop.routes.route(of: api), !loop.isDraining else { throw .notReady }
        let size = request.body.size
        guard size <= route.maximumBodySize ?? .max else { throw .bodyTooLarge }
        var body = request.body
        if case .spooled(let path, _) = request.body {
            let copy = "\(path).copy"
            guard loop.bodies.budget.take(size) else { throw .spoolFull }
            guard link(path, copy) == 0 else {
                loop.bodies.budget.give(size)
                throw .spoolFull
            }
            body = .spooled(path: copy, size: size)
        }
        let now = NIODeadline.now()
        // Whoever sent the request may have little time; a copy has all that its API gives.
        let deadline = now + TimeAmount(route.timeout)
        let copy = UpstreamRequest(
            number: loop.nextNumber(),
            id: request.id,
            headers: request.headers,
            contentType: request.contentType,
            query: request.query,
            body: body,
            deadline: deadline,
            apiDeadline: deadline,
            hops: request.hops,
            isTraced: request.isTraced
        )
        return ShadowCopy(copy, route, ledBy: splitter, loop, begun: now)
    }

    private init(
        _ request: UpstreamRequest,
        _ route: Route,
        ledBy splitter: APIName,
        _ loop: LoopContext,
        begun: NIODeadline
    ) {
        self.request = request
        if case .spooled(let path, let size) = request.body { self.file = (path, size) } else { self.file = nil }
        self.route = route
        self.splitter = splitter
        self.loop = loop
        self.begun = begun
    }

    func send() {
        // From here on the bytes are the upstream's alone.
        guard let request = self.request.take() else { return }
        self.route.upstream.send(request, to: UpstreamResponder(self, on: self.loop.eventLoop))
    }

    func receive(_ event: UpstreamEvent) {
        switch event {
        case .answer(let answer, _, let timing): self.ended(answer.status, timing)
        case .head(let answer, _): self.status = answer.status
        case .end(_, let timing): self.ended(self.status, timing)
        case .failed(let failure, let timing):
            let response = GatewayError.upstream(self.route.api, failure).response
            self.ended(response.status, timing, shedReason: response.shedReason)
        case .started, .chunk, .room, .noRoom: break
        }
    }

    /// Counts as any request does at its API, and beside that at the splitter.
    private func ended(_ status: Int, _ timing: UpstreamTiming, shedReason: String? = nil) {
        if let file = self.file {
            unlink(file.path)
            self.loop.bodies.budget.give(file.size)
        }
        let total = NIODeadline.now() - self.begun
        let change = { (counters: inout APICounters) in
            counters.answered(status, total: total, queue: timing.queue, predict: timing.predict)
            if let shedReason { counters.wasShed(reason: shedReason) }
        }
        self.loop.count(self.route.api, change)
        self.loop.count(self.route.api, ledBy: self.splitter, asCopy: true, change)
    }
}
