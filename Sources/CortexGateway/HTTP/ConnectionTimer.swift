import NIOCore

/// The one timer of a connection.
///
/// A request a millisecond must not cost a timer a millisecond: beginning a phase only notes its end, and the scheduled
/// task, when it fires early, goes back to sleep until then.
///
/// One that fires late tells that this process stood still (it was suspended, or its machine is busy), and nothing of the
/// client: what it has sent meanwhile may not have been read yet, nor what it has taken been replaced. So its time begins
/// once more, and counts then.
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
    private var amount = TimeAmount.zero
    private var limit = NIODeadline.distantFuture
    private var hasBegunAgain = false
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
        self.amount = amount
        self.limit = limit
        self.hasBegunAgain = false
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
        if Self.isLate(self.amount, until: self.end), !self.hasBegunAgain {
            self.hasBegunAgain = true
            self.end = min(.now() + self.amount, self.limit)
        }
        guard self.end <= .now() else {
            self.schedule(connection)
            return nil
        }
        self.end = .distantFuture
        return self.phase
    }

    /// Whether this process has stood still, where a timer of this length and end fires now.
    static func isLate(_ amount: TimeAmount, until end: NIODeadline) -> Bool {
        end + min(.milliseconds(250), .nanoseconds(amount.nanoseconds / 4)) < .now()
    }

    mutating func cancel() {
        self.task?.cancel()
        self.task = nil
    }
}
