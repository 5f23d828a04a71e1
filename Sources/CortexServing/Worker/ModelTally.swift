/// How often the models of one API version were in memory when a request wanted them, over all its workers, dead ones
/// included.
///
/// Workers count by themselves and tell when they are asked, so that a hit costs no message.
package actor ModelTally {
    private var alive: [String: ModelCounts] = [:]
    private var past = ModelCounts()
    /// Who was asked and has not answered.
    private var asked: Set<String> = []
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// The sum, once every worker has answered, or `limit` has passed: then with what the silent ones said last.
    /// - Parameter ask: Asks a worker; false where it is not there to answer.
    func total(
        of workers: some Sequence<String> & Sendable,
        within limit: Duration,
        ask: @Sendable (String) async -> Bool
    ) async -> ModelCounts {
        for worker in workers {
            // Before the question, since the answer may be here before `ask` returns.
            self.asked.insert(worker)
            if await !ask(worker) { self.asked.remove(worker) }
        }
        if !self.asked.isEmpty {
            let timer = Task {
                try await Task.sleep(for: limit)
                self.wake()
            }
            await withCheckedContinuation { self.waiters.append($0) }
            timer.cancel()
        }
        return self.alive.values.reduce(self.past, +)
    }

    func counted(_ counts: ModelCounts, by worker: String) {
        self.alive[worker] = counts
        self.answered(worker)
    }

    func ended(_ worker: String) {
        if let counts = self.alive.removeValue(forKey: worker) { self.past = self.past + counts }
        self.answered(worker)
    }

    private func answered(_ worker: String) {
        self.asked.remove(worker)
        if self.asked.isEmpty { self.wake() }
    }

    private func wake() {
        self.asked = []
        let waiters = self.waiters
        self.waiters = []
        for waiter in waiters { waiter.resume() }
    }
}
