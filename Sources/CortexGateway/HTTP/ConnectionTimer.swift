import NIOCore

/// The one timer of a connection.
///
/// A request a millisecond must not cost a timer a millisecond: beginning a phase only notes its end, and the scheduled
/// task, when it fires early, goes back to sleep until then.
struct ConnectionTimer {
    enum Phase {
        case idle, head, body, linger
        /// An answer is on its way to a reader who may be too slow.
        case drain
        /// So many bytes of an answer are on their way to the reader of a stream.
        case piece
    }

    private var phase = Phase.idle
    private var end = NIODeadline.distantFuture
    private var task: Scheduled<Void>?
    private var wakesAt = NIODeadline.distantFuture

    /// - Parameter limit: When the phase ends at the latest.
    mutating func begin(
        _ phase: Phase,
        within amount: TimeAmount,
        before limit: NIODeadline = .distantFuture,
        _ connection: ConnectionHandler
    ) {
        let end = min(.now() + amount, limit)
        // Bytes of an unfinished head do not extend its time.
        if phase == .head, self.phase == .head, self.end > .now() { return }
        self.phase = phase
        self.end = end
        if self.task == nil || end < self.wakesAt { self.schedule(connection) }
    }

    private mutating func schedule(_ connection: ConnectionHandler) {
        self.task?.cancel()
        self.wakesAt = self.end
        self.task = connection.loop.eventLoop.assumeIsolated().scheduleTask(deadline: self.end) {
            connection.timerFired()
        }
    }

    /// The phase whose time is over; nil where it is not, and the timer sleeps on.
    mutating func fired(_ connection: ConnectionHandler) -> Phase? {
        self.task = nil
        guard self.end <= .now() else {
            self.schedule(connection)
            return nil
        }
        self.end = .distantFuture
        return self.phase
    }

    mutating func cancel() {
        self.task?.cancel()
        self.task = nil
    }
}
