import NIOCore
import Synchronization

/// Where one replica listens, and what this gateway knows of it: seen by all event loops.
final class ReplicaEndpoint: Sendable {
    let address: SocketAddress
    /// Requests that this gateway has with it.
    private let load = Atomic<Int>(0)
    /// When it may be tried again, in nanoseconds of the monotonic clock; 0 where nothing speaks against it.
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

    func isAvoided(at now: NIODeadline) -> Bool {
        let until = self.avoidedUntil.load(ordering: .relaxed)
        return until != 0 && until > now.uptimeNanoseconds
    }

    /// It could not be reached, or takes nothing: others come first for a while, which grows.
    func failed(at now: NIODeadline) {
        let count = self.failures.add(1, ordering: .relaxed).newValue
        let pause = TimeAmount.milliseconds(100 << Int64(min(count - 1, 5)))
        self.avoidedUntil.store((now + pause).uptimeNanoseconds, ordering: .relaxed)
    }

    func answered() {
        guard self.avoidedUntil.load(ordering: .relaxed) != 0 else { return }
        self.avoidedUntil.store(0, ordering: .relaxed)
        self.failures.store(0, ordering: .relaxed)
    }
}
