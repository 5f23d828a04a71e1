import CortexWire
package import NIOCore

/// Where the requests of an API wait for the slots of all its replicas in this process, of whatever version they are.
///
/// It lives on one event loop, as the sockets of its slots do, so that a request goes from queue to slot and back without
/// a lock, a hop or a copy. Handlers on that loop enter it with `assumeIsolated`, all others with `await`.
package actor AdmissionQueue {
    package nonisolated let eventLoop: any EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { self.eventLoop.executor.asUnownedSerialExecutor() }

    /// How long past its deadline a running request is borne.
    package static let grace = TimeAmount.seconds(5)

    private let endWorker: @Sendable (_ worker: String, WorkerExit) -> Void
    private let onWake: @Sendable () -> Void
    var state: AdmissionState
    var links: [SlotLink?] = []
    var controls: [String: WorkerControl] = [:]
    private var isFlushScheduled = false
    private var timer: Scheduled<Void>?
    /// When it fires.
    private var wakesAt = NIODeadline.distantFuture
    private var slotWaiters: [CheckedContinuation<Void, Never>] = []
    private var drainWaiters: [CheckedContinuation<Void, Never>] = []
    /// Those that wait for a replica to rest, by its name.
    var restWaiters: [String: [CheckedContinuation<Void, Never>]] = [:]

    /// The control connection of one worker.
    struct WorkerControl {
        let channel: any Channel
        let replica: String
    }

    /// Who answers: a worker, and the version of the API that it is of.
    struct Origin {
        let worker: String
        var version: Int
    }

    /// The socket of one slot, and what is to be written to it at the end of this turn of the loop.
    final class SlotLink {
        let channel: any Channel
        let replica: String
        var origin: Origin
        var outbox = ByteBuffer()
        /// What goes before it: large bodies, which are not copied, and the frames around them.
        var large: [ByteBuffer] = []
        /// The last request among the frames that are not written yet, and how many there are.
        var lastUnsent: UInt64 = 0
        var unsentCount = 0

        init(channel: any Channel, replica: String, origin: Origin) {
            self.channel = channel
            self.replica = replica
            self.origin = origin
        }
    }

    /// - Parameters:
    ///   - replicaLimit: Requests, queued and running, for each replica, beyond which the next is refused.
    ///   - handOverDepth: The most requests that one slot may hold at once.
    ///   - wakeTimeout: How long a request waits for a replica that has to be started for it.
    ///   - endWorker: Ends a worker that outlived its request's deadline and the grace; called on the event loop.
    ///   - onWake: Asks for a replica, where none was wanted and a request waits; called on the event loop.
    package init(
        on eventLoop: any EventLoop,
        replicaLimit: Int,
        handOverDepth: Int = 8,
        wakeTimeout: Duration = .seconds(120),
        endWorker: @escaping @Sendable (_ worker: String, WorkerExit) -> Void,
        onWake: @escaping @Sendable () -> Void = {}
    ) {
        self.eventLoop = eventLoop
        self.endWorker = endWorker
        self.onWake = onWake
        self.state = AdmissionState(
            replicaLimit: replicaLimit,
            grace: Self.grace,
            handOverDepth: handOverDepth,
            wakeTimeout: TimeAmount(wakeTimeout)
        )
    }

    // MARK: From the gateway

    package func submit(_ request: PredictRequest, _ responder: any PredictResponder) {
        let now = NIODeadline.now()
        if let failure = self.state.submit(request, responder, now: now) {
            responder.receive(.failed(failure, PredictTiming()))
            return
        }
        self.dispatch(now: now)
        self.wake(by: self.state.firstLook(at: request, now: now))
    }

    /// Why a request would be refused now; nil where it would be taken in.
    package func refusal() -> PredictFailure? {
        self.state.refusal(now: .now())
    }

    /// The sender no longer wants the answer; it hears nothing more of this request.
    package func cancel(_ id: UInt64) {
        guard let slot = self.state.cancel(id, now: .now()) else {
            self.noteDrained()
            return
        }
        self.tellWorker(of: slot, toCancel: id)
        self.openFlow(of: slot)  // what is still to come is discarded, so that the slot gets free
        if let patience = self.state.entries[id]?.patience { self.wake(by: patience) }
    }

    /// Holds back, or lets go on, the stream that answers `id`: its reader is slower than the predictor.
    package func setFlow(of id: UInt64, isOpen: Bool) {
        guard case .streaming(let slot) = self.state.entries[id]?.stage, let link = self.links[slot] else { return }
        link.channel.setOption(.autoRead, value: isOpen).whenFailure { _ in }
    }

    // MARK: From the supervisor

    package var inFlight: Int { self.state.liveCount }
    package var queued: Int { self.state.waitingCount }
    /// Whether requests are refused because no worker stays alive.
    package var isFailing: Bool { if case .failfast = self.state.mode { true } else { false } }
    package var openSlots: Int { self.state.slotCount }

    /// What there is to do, all of one moment.
    package var load: (inFlight: Int, received: UInt64, openSlots: Int) {
        (self.state.liveCount, self.state.receivedCount, self.state.slotCount)
    }

    /// Refuses at once, until a slot opens, where every worker is gone and the next is not started before `delay` is over.
    /// - Parameter replica: One whose workers do not stay alive; others may.
    package func failfast(_ replica: String, reason: String, for delay: Duration) {
        let now = NIODeadline.now()
        let waited = self.state.failfast(replica, reason: reason, until: now + TimeAmount(delay))
        guard !waited.isEmpty, let failure = self.state.refusal(now: now) else { return }
        for entry in waited {
            entry.responder?.receive(.failed(failure, self.timing(of: entry, predict: nil, by: nil, now: now)))
        }
    }

    package func setReplicaLimit(_ limit: Int) { self.state.replicaLimit = limit }

    /// Takes nothing new, and returns when all that was here has been answered.
    package func drain() async {
        self.state.drain()
        guard !self.state.isEmpty else { return }
        await withCheckedContinuation { self.drainWaiters.append($0) }
    }

    /// Gives up what is still here; `drain` returns.
    /// - Returns: Whether nothing was here any more.
    @discardableResult
    package func abandon() -> Bool {
        let isEmpty = self.state.isEmpty
        self.state.drain()
        for entry in self.state.removeAll() {
            entry.responder?.receive(.failed(.draining, self.timing(of: entry, predict: nil, by: nil, now: .now())))
        }
        self.cancelTimer()
        for waiter in self.drainWaiters { waiter.resume() }
        self.drainWaiters = []
        self.wakeRestWaiters()
        return isEmpty
    }

    /// Returns once the worker has opened that many slots; false where its control connection is gone before.
    package func waitForSlots(_ count: Int, of worker: String) async -> Bool {
        while self.links.count(where: { $0?.origin.worker == worker }) < count {
            guard self.controls[worker] != nil else { return false }
            await withCheckedContinuation { self.slotWaiters.append($0) }
        }
        return true
    }

    /// Returns once the worker's control connection is gone and all that it said has been reported; at once where it has
    /// none.
    func waitForDisconnect(of worker: String) async {
        while self.controls[worker] != nil {
            await withCheckedContinuation { self.slotWaiters.append($0) }
        }
    }

    func wakeSlotWaiters() {
        let waiters = self.slotWaiters
        self.slotWaiters = []
        for waiter in waiters { waiter.resume() }
    }

    // MARK: Out to the slots

    func dispatch(now: NIODeadline) {
        while let (slot, request) = self.state.nextDispatch(now: now) {
            // First: what was told of a start is true however soon after that this process ends.
            if request.tellsStart { self.state.entries[request.id]?.responder?.receive(.started) }
            self.send(request, to: slot)
        }
        guard self.state.beginsWaking() else { return }
        self.onWake()
        self.wake(by: now + self.state.wakeTimeout)
    }

    func send(_ request: PredictRequest, to slot: Int) {
        guard let link = self.links[slot] else { return }
        link.append(request)
        self.scheduleFlush()
    }

    func send(_ frame: Frame, to slot: Int) {
        guard let link = self.links[slot] else { return }
        link.append(frame)
        self.scheduleFlush()
    }

    /// All frames of one turn of the loop leave in one system call for each slot.
    private func scheduleFlush() {
        guard !self.isFlushScheduled else { return }
        self.isFlushScheduled = true
        self.eventLoop.execute {
            self.assumeIsolated { $0.flush() }
        }
    }

    private func flush() {
        self.isFlushScheduled = false
        for index in self.links.indices {
            guard let link = self.links[index], let unsent = link.takeUnsent() else { continue }
            let channel = link.channel
            for piece in unsent.large { channel.write(piece, promise: nil) }
            if let request = unsent.onlyRequest {
                // A worker that had died unseen takes nothing any more: its request was not started, and goes to another.
                channel.writeAndFlush(unsent.outbox).whenFailure { _ in
                    self.assumeIsolated { $0.state.wasNotDelivered(request, to: index) }
                }
            } else {
                channel.writeAndFlush(unsent.outbox, promise: nil)
            }
        }
    }

    private func tellWorker(of slot: Int, toCancel id: UInt64) {
        guard let worker = self.links[slot]?.origin.worker else { return }
        self.sendControl(Frame(.cancel, id: id), to: worker)
    }

    private func openFlow(of slot: Int) {
        self.links[slot]?.channel.setOption(.autoRead, value: true).whenFailure { _ in }
    }

    // MARK: Time

    /// Looks at the deadlines no later than `deadline`.
    func wake(by deadline: NIODeadline) {
        guard deadline < self.wakesAt else { return }
        self.cancelTimer()
        self.wakesAt = deadline
        self.timer = self.eventLoop.scheduleTask(deadline: deadline) {
            self.assumeIsolated { $0.expire() }
        }
    }

    private func cancelTimer() {
        self.timer?.cancel()
        self.timer = nil
        self.wakesAt = .distantFuture
    }

    private func expire() {
        self.timer = nil
        self.wakesAt = .distantFuture
        let now = NIODeadline.now()
        let expiry = self.state.expire(now: now)
        for entry in expiry.unwoken { self.refuseUnwoken(entry, now: now) }
        for overdue in expiry.overdue {
            let (entry, slot) = (overdue.entry, overdue.slot)
            if let slot { self.tellWorker(of: slot, toCancel: entry.request.id) }
            let since = overdue.started ? slot.flatMap { self.state.slots[$0]?.since } : nil
            let timing = self.timing(
                of: entry,
                predict: since.map { now - $0 },
                by: slot.flatMap { self.links[$0]?.origin },
                now: now
            )
            if case .streaming = entry.stage {
                entry.responder?.receive(.end(isWhole: false, timing))
            } else {
                entry.responder?.receive(.failed(.deadlineExceeded(started: overdue.started), timing))
            }
            if let slot { self.openFlow(of: slot) }
        }
        for (worker, id) in expiry.hopelessWorkers { self.endWorker(worker, .overdue(requestID: id)) }
        for slot in expiry.hopelessSlots { self.links[slot]?.channel.close(promise: nil) }
        // What is hopeless has been acted on: it is looked at again only if it is still there in a grace's time. A look at
        // tens of thousands of requests takes long: no more than a tenth of the loop's time goes into it.
        if !self.state.entries.isEmpty {
            let done = NIODeadline.now()
            let pause = max(.milliseconds(1), (done - now) * 9)
            self.wake(by: max(expiry.next ?? done + Self.grace, done + pause))
        }
        self.noteDrained()
    }

    func noteDrained() {
        if !self.restWaiters.isEmpty { self.wakeRestWaiters() }
        guard case .draining = self.state.mode, self.state.isEmpty, !self.drainWaiters.isEmpty else { return }
        for waiter in self.drainWaiters { waiter.resume() }
        self.drainWaiters = []
    }

    func timing(
        of entry: AdmissionState.Entry,
        predict: TimeAmount?,
        by origin: Origin?,
        now: NIODeadline
    ) -> PredictTiming {
        let waited = now - entry.arrival
        return PredictTiming(
            queue: predict.map { waited - $0 } ?? waited,
            predict: predict,
            worker: origin?.worker,
            version: origin?.version
        )
    }
}

extension AdmissionQueue.SlotLink {
    /// A body beyond it is written as it is, a smaller one copied behind the head of its frame.
    static let copiedBody = 32 << 10

    /// What is to be written now.
    struct Unsent {
        var outbox: ByteBuffer
        var large: [ByteBuffer]
        /// Nil where there is none, or more than one.
        var onlyRequest: UInt64?
    }

    /// Nil where there is nothing.
    func takeUnsent() -> Unsent? {
        guard self.outbox.readableBytes > 0 || !self.large.isEmpty else { return nil }
        let only = self.unsentCount == 1 ? self.lastUnsent : nil
        let unsent = Unsent(outbox: self.outbox, large: self.large, onlyRequest: only)
        self.outbox = ByteBuffer()
        self.large = []
        self.unsentCount = 0
        return unsent
    }

    func append(_ request: PredictRequest) {
        self.lastUnsent = request.id
        self.unsentCount += 1
        switch request.body {
        case .inline(let body) where body.readableBytes > Self.copiedBody: self.append(request, [body])
        case .pieces(let pieces): self.append(request, pieces)
        case .inline, .spooled: request.write(into: &self.outbox, apiVersion: self.origin.version)
        }
    }

    private func append(_ request: PredictRequest, _ body: [ByteBuffer]) {
        request.write(into: &self.outbox, apiVersion: self.origin.version, withBody: false)
        self.large.append(self.outbox)
        self.large += body
        self.outbox = ByteBuffer()
    }

    func append(_ frame: Frame) {
        frame.write(into: &self.outbox)
    }
}
