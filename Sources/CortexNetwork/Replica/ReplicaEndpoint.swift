import NIOCore
import Synchronization

/// Where one replica listens, and what this gateway knows of it: seen by all event loops.
final class ReplicaEndpoint: Sendable {
    let address: SocketAddress
    /// Requests that this gateway has with it.
    private let load = Atomic<Int>(0)
    /// When it may be tried out, in nanoseconds of the monotonic clock; 0 where nothing speaks against it.
    private let avoidedUntil = Atomic<UInt64>(0)
    private let failures = Atomic<Int>(0)

    init(address: SocketAddress) {
        self.address = address
    }

    var inFlight: Int { self.load.load(ordering: .relaxed) }

    /// Takes a place; false where as many requests are there as may be.
    func enter(limit: Int) -> Bool {
        guard self.load.add(1, ordering: .relaxed).newValue > limit else { return true }
        self.leave()
        return false
    }

    func leave() { self.load.subtract(1, ordering: .relaxed) }

    // MARK: Doubt

    /// Something speaks against it, and no connection to it has come about since.
    var isAvoided: Bool { self.avoidedUntil.load(ordering: .relaxed) != 0 }

    /// It could not be reached, or takes nothing: others come first until a trial has succeeded.
    ///
    /// Of all that fail there at once the first counts.
    func failed(at now: NIODeadline) {
        guard self.avoidedUntil.load(ordering: .relaxed) <= now.uptimeNanoseconds else { return }
        self.pause(from: now)
    }

    /// Until the next trial; longer each time.
    private func pause(from now: NIODeadline) {
        let count = self.failures.add(1, ordering: .relaxed).newValue
        let pause = TimeAmount.milliseconds(100 << Int64(min(count - 1, 5)))
        self.avoidedUntil.store((now + pause).uptimeNanoseconds, ordering: .relaxed)
    }

    /// Whether it is to be tried out now: true for one who asks, of all event loops, each time that it was left alone for long
    /// enough.
    ///
    /// - Parameter limit: No trial takes longer.
    func beginsTrial(at now: NIODeadline, limit: TimeAmount) -> Bool {
        let until = self.avoidedUntil.load(ordering: .relaxed)
        guard until != 0, until <= now.uptimeNanoseconds else { return false }
        let end = (now + limit).uptimeNanoseconds
        return self.avoidedUntil.compareExchange(expected: until, desired: end, ordering: .relaxed).exchanged
    }

    /// A connection has come about.
    func wasReached() {
        if self.isAvoided { self.avoidedUntil.store(0, ordering: .relaxed) }
    }

    /// One that was to try it out has not.
    func wasNotReached(at now: NIODeadline) { self.pause(from: now) }

    func answered() {
        guard self.failures.load(ordering: .relaxed) != 0 else { return }
        self.avoidedUntil.store(0, ordering: .relaxed)
        self.failures.store(0, ordering: .relaxed)
    }
}
