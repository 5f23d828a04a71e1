import Synchronization

/// Lets one operation at a time pass, in the order of arrival, across its awaits.
///
/// An actor alone is not enough: it lets another call in at each `await`.
package final class TurnQueue: Sendable {
    private struct State {
        var isTaken = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Runs `operation` when those before it are done.
    ///
    /// Waiting is not cut short by cancellation: turns are brief, and
    /// what `operation` awaits notices it.
    package nonisolated(nonsending) func withTurn<Value>(_ operation: () async throws -> Value) async rethrows -> Value
    {
        await withCheckedContinuation { continuation in
            let isFirst = self.state.withLock { state in
                guard state.isTaken else {
                    state.isTaken = true
                    return true
                }
                state.waiters.append(continuation)
                return false
            }
            if isFirst { continuation.resume() }
        }
        defer { self.passOn() }
        return try await operation()
    }

    private func passOn() {
        let next: CheckedContinuation<Void, Never>? = self.state.withLock { state in
            guard !state.waiters.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.resume()
    }
}
