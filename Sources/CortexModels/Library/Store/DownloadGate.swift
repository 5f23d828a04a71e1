internal import Synchronization

/// Lets a number of downloads run at once; the others wait in line.
///
/// For what is downloaded ahead of its use: a request that waits for a model does not wait here.
final class DownloadGate: Sendable {
    private enum Waiter {
        case waiting(CheckedContinuation<Bool, Never>)
        /// Cancelled before it could wait.
        case gone
    }

    private struct State {
        var free: Int
        /// Grows; who comes first is let in first.
        var last: UInt64 = 0
        /// A few: every API lines up no more than may run at once.
        var waiters: [UInt64: Waiter] = [:]
    }

    private let state: Mutex<State>

    init(limit: Int) {
        self.state = Mutex(State(free: limit))
    }

    /// Runs `work` when there is room; returns nil, without having run it, when the task is cancelled before that.
    func run<Value: Sendable>(_ work: () async -> Value) async -> Value? {
        guard await self.enter() else { return nil }
        let value = await work()
        self.leave()
        return value
    }

    private func enter() async -> Bool {
        let id = self.state.withLock { state in
            state.last += 1
            return state.last
        }
        let isIn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = self.state.withLock { state in
                    guard state.waiters[id] == nil else { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.waiters[id] = .waiting(continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = self.state.withLock { $0.waiters.updateValue(.gone, forKey: id) }
            if case .waiting(let continuation) = waiter { continuation.resume(returning: false) }
        }
        // Where the task was cancelled, a note that it has gone.
        self.state.withLock { $0.waiters[id] = nil }
        return isIn
    }

    private func leave() {
        let next: CheckedContinuation<Bool, Never>? = self.state.withLock { state in
            while let id = state.waiters.keys.min() {
                if case .waiting(let continuation) = state.waiters.removeValue(forKey: id) { return continuation }
            }
            state.free += 1
            return nil
        }
        next?.resume(returning: true)
    }
}
