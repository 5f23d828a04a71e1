/// Whether a replica's workers could answer, and what keeps them from it.
package struct ReplicaHealth: Hashable, Sendable {
    /// Workers that are ready.
    package var ready: Int
    /// Why none of its workers could answer now, in a sentence; nil where one could.
    package var obstacle: String?
    /// When the obstacle may be gone at the earliest; nil where that is not known.
    package var nextStart: Duration?
    /// The worker that ended most often in a row, where that makes a crash loop.
    package var loop: Loop?

    package init(ready: Int) {
        self.ready = ready
    }

    /// A worker that ends again and again, soon after it was started.
    package struct Loop: Hashable, Sendable, CustomStringConvertible {
        package var worker: String
        package var ends: Int
        package var cause: String

        package var description: String {
            "worker \(self.worker) ended \(self.ends) times in a row; the last time it \(self.cause)"
        }
    }
}

extension Replica {
    /// How a worker ended last.
    struct LastEnd: Sendable {
        var cause: String
        /// Nil until it is settled.
        var nextStart: ContinuousClock.Instant?
    }

    /// Its health as of now; looks at each ready worker's process.
    package func health() -> ReplicaHealth {
        let now = ContinuousClock.now
        let loop = self.workers.indices
            .compactMap { index in self.workers[index].loop(at: now).map { (index: index, ends: $0) } }
            .max { $0.ends < $1.ends }
        var health = ReplicaHealth(ready: self.readyWorkers)
        health.loop = loop.map { loop in
            ReplicaHealth.Loop(
                worker: self.workerName(loop.index),
                ends: loop.ends,
                cause: self.lastEnds[loop.index]?.cause ?? "ended"
            )
        }
        if health.ready == 0 {
            (health.obstacle, health.nextStart) = self.absence(at: now)
        } else if self.isEachReadyWorkerStopped() {
            health.obstacle = "its workers are stopped (SIGSTOP)"
        }
        return health
    }

    private func absence(at now: ContinuousClock.Instant) -> (String, Duration?) {
        let next = self.workers.indices
            .compactMap { index -> (index: Int, start: ContinuousClock.Instant)? in
                guard case .backingOff = self.workers[index] else { return nil }
                return self.lastEnds[index]?.nextStart.map { (index, $0) }
            }
            .min { $0.start < $1.start }
        let ended = next?.index ?? self.lastEnds.keys.min()
        guard let ended, let cause = self.lastEnds[ended]?.cause else { return ("its workers are starting", nil) }
        let worker = self.workerName(ended)
        guard let next, next.start > now else { return ("worker \(worker) \(cause) and is started again", nil) }
        let delay = next.start - now
        let seconds = Double(delay.components.seconds) + Double(delay.components.attoseconds) * 1e-18
        let text = "worker \(worker) \(cause); the next start is in \((seconds * 10).rounded(.up) / 10) s"
        return (text, delay)
    }

    /// A process that is stopped looks well to whoever only waits for its answers.
    private func isEachReadyWorkerStopped() -> Bool {
        let ready = self.workers.indices.filter { self.workers[$0].isReady }
        return ready.allSatisfy { index in
            self.pids[self.workerName(index)].flatMap { ProcessStat(of: $0) }?.isStopped ?? false
        }
    }
}
