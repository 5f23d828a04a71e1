import CortexWire
import NIOCore

/// The requests to the agent that have no answer yet; each method says what is to be done.
struct AgentRequests {
    /// How one of them ended.
    typealias Outcome = Result<[StoredObject], StorageError>

    struct Request {
        var frames: [Frame]
        var progress: @Sendable (Int64) -> Void
        var finish: @Sendable (Outcome) -> Void
        var found: [StoredObject] = []
        var wasSent = false
    }

    /// What a frame of the agent's leads to.
    enum Reaction {
        case nothing
        case progress(Int64, @Sendable (Int64) -> Void)
        case finish(Outcome, @Sendable (Outcome) -> Void)
    }

    /// A frame that no agent sends: its connection has to be closed.
    struct Violation: Error, Hashable {
        var kind: Frame.Kind
    }

    private var requests: [UInt64: Request] = [:]

    var isEmpty: Bool { self.requests.isEmpty }

    mutating func add(_ request: Request, id: UInt64) {
        self.requests[id] = request
    }

    /// All frames that wait for a connection.
    mutating func takeUnsent() -> [Frame] {
        var frames: [Frame] = []
        for id in self.requests.keys.sorted() where self.requests[id]?.wasSent == false {
            frames += self.requests[id]?.frames ?? []
            self.requests[id]?.wasSent = true
            self.requests[id]?.frames = []
        }
        return frames
    }

    /// Acts on a frame.
    ///
    /// One for a request that has ended means nothing: it crossed the request's cancellation.
    mutating func received(_ frame: Frame) throws -> Reaction {
        guard var request = self.requests[frame.id] else {
            guard Self.answers.contains(frame.kind) else { throw Violation(kind: frame.kind) }
            return .nothing
        }
        switch frame.kind {
        case .page:
            request.found += try frame.decoded(as: [StoredObject].self)
            self.requests[frame.id] = request
            return .nothing
        case .progress:
            guard let count = frame.body.getInteger(at: frame.body.readerIndex, endianness: .little, as: UInt64.self)
            else { throw Violation(kind: .progress) }
            return .progress(Int64(clamping: count), request.progress)
        case .done:
            self.requests[frame.id] = nil
            return .finish(.success(request.found.sorted(by: StoredObject.isOrdered)), request.finish)
        case .fault:
            let message = try frame.decoded(as: FaultMessage.self)
            self.requests[frame.id] = nil
            return .finish(.failure(message.error), request.finish)
        default:
            throw Violation(kind: frame.kind)
        }
    }

    /// What to do for a request that nobody wants any more.
    enum OnCancel {
        case nothing
        /// It was never sent.
        case finish(@Sendable (Outcome) -> Void)
        /// The agent is told; its answer says that it writes nothing any more.
        case send(Frame)
    }

    mutating func cancelled(_ id: UInt64) -> OnCancel {
        guard let request = self.requests[id] else { return .nothing }
        if request.wasSent { return .send(Frame(.abort, id: id)) }
        self.requests[id] = nil
        return .finish(request.finish)
    }

    /// Ends all of them.
    mutating func takeAll() -> [@Sendable (Outcome) -> Void] {
        defer { self.requests = [:] }
        return self.requests.values.map(\.finish)
    }

    private static let answers: Set<Frame.Kind> = [.page, .progress, .done, .fault]
}
