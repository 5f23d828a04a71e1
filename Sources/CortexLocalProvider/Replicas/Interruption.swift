import Synchronization

/// Lets what somebody waits for (a build, a download, a pause, a device) be ended once nobody wants it any more.
final class Interruption: Sendable {
    private struct State {
        var isEnded = false
        var next = 0
        var steps: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    var isEnded: Bool { self.state.withLock { $0.isEnded } }

    /// Waits for a step in a task of its own, which ends with this.
    ///
    /// - Throws: `CancellationError` where it has ended already.
    func run<Value: Sendable>(_ step: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task { try await step() }
        let number = self.state.withLock { state -> Int? in
            guard !state.isEnded else { return nil }
            state.next += 1
            state.steps[state.next] = { task.cancel() }
            return state.next
        }
        guard let number else {
            task.cancel()
            throw CancellationError()
        }
        defer { self.state.withLock { _ = $0.steps.removeValue(forKey: number) } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Lets some time pass; false where it ends meanwhile.
    func pause(for duration: Duration) async -> Bool {
        guard (try? await self.run { try await Task.sleep(for: duration) }) != nil else { return false }
        return !self.isEnded
    }

    func end() {
        let steps = self.state.withLock { state in
            state.isEnded = true
            return Array(state.steps.values)
        }
        for step in steps { step() }
    }
}
