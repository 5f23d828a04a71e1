import CortexGateway
import DequeModule
import NIOCore

/// The requests of one API on one event loop: who waits, who is with which replica.
///
/// Nothing in it is seen by another thread.
final class UpstreamLoop {
    let eventLoop: any EventLoop
    let shared: UpstreamShared
    /// The replicas that serve, and in the same order how they are reached from here.
    private(set) var replicas: [ReplicaEndpoint] = []
    private var pools: [ReplicaPool] = []
    private(set) var requests: [UInt64: NetworkRequest] = [:]
    private var held = Deque<UInt64>()
    private(set) var standing = UpstreamStanding()
    /// Until when requests are held although no replica serves, and none is said to come.
    private var settling = NIODeadline.distantPast
    private var choice = ReplicaChoice()
    private var timer: (at: NIODeadline, task: Scheduled<Void>)?

    init(eventLoop: any EventLoop, shared: UpstreamShared) {
        self.eventLoop = eventLoop
        self.shared = shared
    }

    // MARK: What is known

    func set(_ replicas: [ReplicaEndpoint], now: NIODeadline = .now()) {
        let known = Dictionary(uniqueKeysWithValues: self.pools.map { (ObjectIdentifier($0.endpoint), $0) })
        self.pools = replicas.map { known[ObjectIdentifier($0)] ?? ReplicaPool($0, loop: self) }
        let current = Set(replicas.map { ObjectIdentifier($0) })
        for (endpoint, pool) in known where !current.contains(endpoint) { pool.retire() }
        if replicas.isEmpty, !self.replicas.isEmpty { self.settle(now) }
        self.replicas = replicas
        self.sendHeld(now: now)
    }

    func set(_ standing: UpstreamStanding, now: NIODeadline = .now()) {
        if self.standing.isAsleep, !standing.isAsleep { self.settle(now) }
        self.standing = standing
        self.sendHeld(now: now)
    }

    private func settle(_ now: NIODeadline) {
        self.settling = now + self.shared.settings.settleTime
        self.wake(by: self.settling)
    }

    /// Whether a replica may be about to come.
    private func mayHold(_ now: NIODeadline) -> Bool { self.standing.isAsleep || self.settling > now }

    // MARK: From the gateway

    /// Why a request would be refused now; nil where it would be taken in.
    func refusal(now: NIODeadline) -> UpstreamFailure? {
        guard self.replicas.isEmpty else {
            let limit = self.standing.replicaLimit
            return self.replicas.contains { $0.inFlight < limit } ? nil : self.full
        }
        guard self.mayHold(now) else { return self.nothingReady(nil) }
        return self.shared.waiting < self.standing.replicaLimit ? nil : self.fullOfWaiting
    }

    func submit(_ request: UpstreamRequest, _ responder: UpstreamResponder) {
        let now = NIODeadline.now()
        let entry = NetworkRequest(request, responder, now: now)
        self.shared.came()
        self.requests[request.number] = entry
        guard request.deadline > now else { return self.fail(entry, .deadlineExceeded(started: false)) }
        self.wake(by: request.deadline)
        switch self.place(entry, now: now) {
        case .sent: break
        case .full: self.fail(entry, self.full)
        case .none where self.mayHold(now): self.hold(entry, now: now)
        case .none: self.fail(entry, self.nothingReady(nil))
        }
    }

    func cancel(_ number: UInt64) -> Bool {
        guard let request = self.requests[number] else { return false }
        self.leave(request)?.abandon()
        return true
    }

    func setFlow(of number: UInt64, isOpen: Bool) -> Bool {
        guard let request = self.requests[number] else { return false }
        if case .sent(let connection) = request.stage { connection.setFlow(isOpen: isOpen) }
        return true
    }

    /// Nobody sends requests any more.
    func close() {
        self.set([])
        self.settling = .distantPast
        for request in Array(self.requests.values) where request.isHeld { self.fail(request, .draining) }
        guard self.requests.isEmpty else { return }
        // It would keep all of this for as long as a request may take.
        self.timer?.task.cancel()
        self.timer = nil
    }

    // MARK: Who gets it

    private enum Placed {
        case sent
        /// All replicas that may have it are full.
        case full
        /// There is none.
        case none
    }

    private func place(_ request: NetworkRequest, now: NIODeadline) -> Placed {
        let limit = self.standing.replicaLimit
        let taken = self.choice.take(of: self.replicas, except: request.tried, limit: limit) {
            self.pools[$0].tryOut(now: now)
        }
        guard let index = taken else {
            let isAny = self.replicas.contains { replica in !request.tried.contains { $0 === replica } }
            return isAny ? .full : .none
        }
        request.attempts += 1
        self.pools[index].send(request)
        return .sent
    }

    private func hold(_ request: NetworkRequest, now: NIODeadline) {
        guard self.shared.beginsWaiting(limit: self.standing.replicaLimit) else {
            return self.fail(request, self.fullOfWaiting)
        }
        request.stage = .held(since: now)
        request.isWaiting = true
        // Whoever is there by then may have been one of them.
        request.tried = []
        self.held.append(request.request.number)
        let end = self.holdEnd(of: request, since: now)
        self.wake(by: request.attempts == 0 ? end : min(end, now + request.pause))
    }

    private func holdEnd(of request: NetworkRequest, since: NIODeadline) -> NIODeadline {
        let end = min(request.request.deadline, since + self.shared.settings.wakeTimeout)
        // Replicas that are there and take nothing are no reason to wait as long as for one that has to be started.
        return request.refusedSince.map { min(end, $0 + self.shared.settings.settleTime) } ?? end
    }

    private func sendHeld(now: NIODeadline) {
        while !self.replicas.isEmpty, let number = self.held.popFirst() {
            guard let request = self.requests[number], request.isHeld else { continue }
            guard case .sent = self.place(request, now: now) else {
                self.held.prepend(number)
                // What frees a place may be on another loop, which tells nobody.
                return self.wake(by: now + .milliseconds(20))
            }
            self.stopWaiting(request)
        }
    }

    private func stopWaiting(_ request: NetworkRequest) {
        guard request.isWaiting else { return }
        request.isWaiting = false
        self.shared.stopsWaiting()
    }

    /// A connection has nothing to do: it is to be closed when that has lasted.
    func noteIdle(now: NIODeadline) { self.wake(by: now + self.shared.settings.idleTimeout) }

    // MARK: From connections

    /// Nothing of the request has run: it is tried elsewhere, as often as there are replicas.
    func wasNotStarted(_ request: NetworkRequest, on connection: ReplicaConnection, isReplicaGone: Bool) {
        let endpoint = connection.pool.endpoint
        endpoint.leave()
        let now = NIODeadline.now()
        self.shared.wasRetried()
        if isReplicaGone {
            endpoint.failed(at: now)
            request.tried.append(endpoint)
            // They lead nowhere either, and would each be found out by a request.
            connection.pool.closeIdle(since: .distantFuture)
        }
        self.tryAgain(request, now: now)
    }

    private func tryAgain(_ request: NetworkRequest, now: NIODeadline) {
        guard self.requests[request.request.number] === request else { return }
        guard request.request.deadline > now else { return self.fail(request, .deadlineExceeded(started: false)) }
        guard request.attempts < Self.mostAttempts, self.holdEnd(of: request, since: now) > now else {
            return self.fail(request, self.nothingReady(request))
        }
        switch self.place(request, now: now) {
        case .sent: break
        case .full where request.tried.isEmpty: self.hold(request, now: now)
        case .full: self.fail(request, self.full)
        case .none where request.refusal?.code == "QUEUE_FULL": self.fail(request, self.full)
        // It was taken in once: that the last replica has just gone is no reason to refuse it now.
        case .none: self.hold(request, now: now)
        }
    }

    /// A limit for what goes wrong again and again.
    private static let mostAttempts = 32

    /// The connection broke while a worker had the request.
    func wasLost(_ request: NetworkRequest, on connection: ReplicaConnection) {
        let endpoint = connection.pool.endpoint
        endpoint.leave()
        endpoint.failed(at: .now())
        guard self.requests[request.request.number] === request else { return }
        self.fail(request, self.lost(endpoint))
    }

    /// The answer broke off, or is none that can be read.
    func broke(_ request: NetworkRequest, _ answer: ReplicaAnswer, on connection: ReplicaConnection) {
        let endpoint = connection.pool.endpoint
        endpoint.leave()
        guard self.requests[request.request.number] === request else { return }
        guard answer.isWhole else {
            _ = self.leave(request)
            return request.responder.receive(.end(isWhole: false, answer.timing))
        }
        self.fail(request, self.lost(endpoint))
    }

    /// A large answer has begun, or one of unknown length.
    func begins(_ request: NetworkRequest, _ answer: ReplicaAnswer) {
        request.responder.receive(.head(answer.head, answer.timing))
    }

    func ended(_ request: NetworkRequest, _ answer: ReplicaAnswer, on connection: ReplicaConnection) {
        let endpoint = connection.pool.endpoint
        endpoint.leave()
        let now = NIODeadline.now()
        // One that was refused leaves no room to another.
        let isRefused = answer.error?.isNotStarted == true
        defer { if !self.held.isEmpty, !isRefused { self.sendHeld(now: now) } }
        guard self.requests[request.request.number] === request else { return }
        if let error = answer.error {
            if error.isOfReplica { endpoint.failed(at: now) }
            switch error.code {
            case "DEADLINE_EXCEEDED":
                return self.fail(request, .deadlineExceeded(started: !error.isNotStarted), answer.timing)
            case _ where error.isNotStarted:
                request.refusal = error
                request.refusedSince = request.refusedSince ?? now
                request.tried.append(endpoint)
                self.shared.wasRetried()
                return self.tryAgain(request, now: now)
            default: break
            }
        } else {
            endpoint.answered()
            self.shared.answered(after: now - request.arrival)
        }
        _ = self.leave(request)
        if answer.isWhole {
            request.responder.receive(.answer(answer.head, .bytes(answer.bytes), answer.timing))
        } else {
            request.responder.receive(.end(isWhole: true, answer.timing))
        }
    }

    // MARK: Ends

    /// Forgets a request; returns the connection that is at it.
    @discardableResult
    private func leave(_ request: NetworkRequest) -> ReplicaConnection? {
        guard self.requests.removeValue(forKey: request.request.number) != nil else { return nil }
        self.shared.left()
        self.stopWaiting(request)
        // Clients that leave while an API sleeps are not to pile up here.
        if self.held.count > 2 * self.requests.count + 64 { self.held.removeAll { self.requests[$0]?.isHeld != true } }
        defer { request.stage = .done }
        guard case .sent(let connection) = request.stage else { return nil }
        return connection
    }

    private func fail(
        _ request: NetworkRequest,
        _ failure: UpstreamFailure,
        _ timing: UpstreamTiming = UpstreamTiming()
    ) {
        self.leave(request)
        var timing = timing
        timing.queue = timing.queue ?? .now() - request.arrival
        request.responder.receive(.failed(failure, timing))
    }

    // MARK: Time

    /// Looks at all deadlines no later than `deadline`.
    private func wake(by deadline: NIODeadline) {
        if let timer = self.timer, timer.at <= deadline { return }
        self.timer?.task.cancel()
        let task = self.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.look() }
        self.timer = (deadline, task)
    }

    private func look() {
        self.timer = nil
        let now = NIODeadline.now()
        if !self.held.isEmpty { self.sendHeld(now: now) }
        var next = NIODeadline.distantFuture
        for request in Array(self.requests.values) {
            if let end = self.look(at: request, now: now) { next = min(next, end) }
        }
        let idle = self.shared.settings.idleTimeout
        for pool in self.pools {
            pool.closeIdle(since: now - idle)
            if pool.hasIdle { next = min(next, now + .seconds(5)) }
        }
        if next < .distantFuture {
            // A look at tens of thousands of requests takes long: no more than a tenth of the loop's time goes into it.
            let done = NIODeadline.now()
            self.wake(by: max(next, done + max(.milliseconds(1), (done - now) * 9)))
        }
    }

    /// Ends a request whose time is up; returns when it is to be looked at again.
    private func look(at request: NetworkRequest, now: NIODeadline) -> NIODeadline? {
        guard request.request.deadline > now else {
            self.expire(request)
            return nil
        }
        guard case .held(let since) = request.stage else { return request.request.deadline }
        let end = self.holdEnd(of: request, since: since)
        if end <= now {
            self.fail(request, self.standing.isAsleep ? self.notWoken : self.nothingReady(request))
            return nil
        }
        guard !self.standing.isAsleep else { return end }
        // What was with a replica already waits for the next one, as it would for a worker, or for one of those to recover.
        guard request.attempts == 0 else { return min(end, now + request.pause) }
        guard self.mayHold(now) || !self.replicas.isEmpty else {
            self.fail(request, self.nothingReady(request))
            return nil
        }
        return min(end, max(self.settling, now + .milliseconds(20)))
    }

    private func expire(_ request: NetworkRequest) {
        guard case .sent(let connection) = request.stage else {
            return self.fail(request, .deadlineExceeded(started: false))
        }
        switch connection.state {
        case .answering(_, let answer) where !answer.isWhole:
            self.leave(request)
            request.responder.receive(.end(isWhole: false, answer.timing))
        case .started, .answering: self.fail(request, .deadlineExceeded(started: true))
        case .connecting, .sent, .idle, .closed: self.fail(request, .deadlineExceeded(started: false))
        }
        connection.abandon()
    }
}
