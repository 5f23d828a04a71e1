import CortexTelemetry
import NIOCore

/// Time: what a client may take for each step, and how slowly it may send and read.
extension ConnectionHandler {
    func await(_ phase: ConnectionTimer.Phase) {
        let configuration = self.loop.configuration
        switch phase {
        case .idle: self.timer.begin(.idle, within: configuration.idleTimeout, self)
        case .body:
            switch self.state {
            case .receiving(let exchange):
                self.timer.begin(.body, within: configuration.bodyTimeout, before: exchange.deadline, self)
            case .skipping: self.timer.begin(.body, within: configuration.bodyTimeout, self)
            default: break
            }
        case .drain: self.timer.begin(.drain, within: configuration.rateWindow, self)
        case .linger: self.timer.begin(.linger, within: .seconds(2), self)
        case .head, .piece: break
        }
    }

    func timerFired() {
        if let phase = self.timer.fired(self) { self.timedOut(phase) }
    }

    private func timedOut(_ phase: ConnectionTimer.Phase) {
        let configuration = self.loop.configuration
        switch (phase, self.state) {
        // The last answer is still on its way to a slow reader: that is not idle.
        case (.idle, .idle) where self.context?.channel.isWritable == false:
            if self.readsTooSlowly(over: configuration.idleTimeout, written: 0) {
                self.context?.close(promise: nil)
            } else {
                self.await(.idle)
            }
        case (.drain, .lingering):
            if self.readsTooSlowly(over: configuration.rateWindow, written: 0) {
                self.context?.close(promise: nil)
            } else {
                self.await(.drain)
            }
        case (.drain, .streaming(let exchange)): self.checkReader(of: exchange)
        case (.drain, .leaving(let answer)): self.checkReader(of: answer)
        case (.piece, .streaming), (.piece, .closing): self.context?.close(promise: nil)
        case (.idle, .idle), (.linger, .lingering): self.context?.close(promise: nil)
        case (.head, .idle):
            self.refuse(.headTooSlow(within: configuration.headerTimeout), self.makeNamelessExchange())
        case (.body, .skipping): self.closeGently()
        case (.body, .receiving(let exchange)):
            exchange.keepAlive = false
            if let route = exchange.route, exchange.deadline <= .now() {
                self.refuse(.upstream(route.api, .deadlineExceeded(started: false)), exchange)
            } else if self.isWritingBody {
                // It is not the client that is slow.
                self.await(.body)
            } else {
                self.refuse(.bodyTooSlow(within: configuration.bodyTimeout), exchange)
            }
        default: break
        }
    }

    // MARK: Slow senders

    /// Some of a body came: the time to the next piece begins, unless the pieces come too slowly.
    func bodyPieceCame() {
        guard !self.isWritingBody else { return }
        let configuration = self.loop.configuration
        let exchange: Exchange
        switch self.state {
        case .receiving(let known): exchange = known
        case .skipping(let known):
            let isTooSlow = known.body.isTooSlow(configuration, begun: known.arrival)
            return isTooSlow ? self.closeGently() : self.await(.body)
        default: return
        }
        let isTooSlow = exchange.body.isTooSlow(configuration, begun: exchange.arrival)
        if isTooSlow {
            exchange.keepAlive = false
            let rate = configuration.minimumUploadRate
            self.refuse(.bodyBelowRate(rate: rate, window: configuration.rateWindow), exchange)
        } else {
            self.await(.body)
        }
    }

    // MARK: Slow readers

    /// A streamed answer is more than its reader takes: how fast that is, is looked at from now on.
    func watchReader(of exchange: Exchange) {
        guard exchange.watchedBytes == nil, let unwritten = self.unwrittenBytes else { return }
        exchange.watchedBytes = exchange.bytesOut
        self.state = .streaming(exchange)
        self.undrained = unwritten
        self.await(.drain)
    }

    private func checkReader(of exchange: Exchange) {
        let written = exchange.bytesOut - (exchange.watchedBytes ?? 0)
        if self.context?.channel.isWritable == true, !exchange.isPieceLeaving {
            exchange.watchedBytes = nil
            self.state = .streaming(exchange)
        } else if self.readsTooSlowly(over: self.loop.configuration.rateWindow, written: written) {
            exchange.route?.upstream.cancel(exchange.number)
            self.recordSlowReader(exchange)
            self.state = .closing
            self.context?.close(promise: nil)
        } else {
            exchange.watchedBytes = exchange.bytesOut
            self.state = .streaming(exchange)
            self.await(.drain)
        }
    }

    /// Whether less left than the bound since the last look; the first look only notes what there is.
    func readsTooSlowly(over time: TimeAmount, written: Int) -> Bool {
        guard let unwritten = self.unwrittenBytes else { return false }
        defer { self.undrained = unwritten }
        guard let before = self.undrained else { return false }
        let left = before + written - unwritten
        // Part of a slice may have left besides.
        let unseen = self.transport == .stream && left > 0 ? self.slice : 0
        return left + unseen < self.loop.configuration.minimumDownloadRate.bytes(in: time)
    }

    /// What was answered and is still in this process; nil where that cannot be told any more.
    var unwrittenBytes: Int? {
        guard self.transport != .stream else { return self.unflushed }
        return try? self.context?.channel.syncOptions?.getOption(.bufferedWritableBytes)
    }

    // MARK: The end

    /// Writes are done after this; reads go on for a moment, so that the client gets the answer and not a reset.
    func closeGently() {
        guard let context = self.context else { return }
        self.state = .lingering
        self.forgetBacklog()
        self.undrained = self.unwrittenBytes
        self.await(.drain)
        // Completes when all that was written has left.
        let written = context.eventLoop.makePromise(of: Void.self)
        guard !self.isInputClosed else {
            written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            context.writeAndFlush(self.wrapOutboundOut(.byteBuffer(ByteBuffer())), promise: written)
            return
        }
        written.futureResult.assumeIsolated().whenComplete { _ in
            if case .lingering = self.state { self.await(.linger) }
        }
        context.close(mode: .output, promise: written)
        self.readOn()
    }
}
