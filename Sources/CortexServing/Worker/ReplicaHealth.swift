/// Whether a replica's workers could answer, and what keeps them from it.
package struct ReplicaHealth: Hashable, Sendable {
    /// Workers that are ready.
    package var ready: Int
    /// Those that would be, had a signal not stopped them.
    package var stopped = 0
    /// Why none of its workers could answer now, in a sentence; nil where one could.
    package var obstacle: String?
    /// The most starts in a row that came to nothing, of one of its workers.
    package var failedStarts = 0
    /// When the obstacle may be gone at the earliest; nil where that is not known.
    package var nextStart: Duration?
    /// The worker that ended most often in a row, where that makes a crash loop.
    package var loop: Loop?

    package init(ready: Int) {
        self.ready = ready
    }

    /// Of several replicas as one: an obstacle is what all of them have.
    package init(of replicas: [ReplicaHealth]) {
        self.ready = replicas.reduce(0) { $0 + $1.ready }
        self.stopped = replicas.reduce(0) { $0 + $1.stopped }
        self.failedStarts = replicas.map(\.failedStarts).max() ?? 0
        self.loop = replicas.compactMap(\.loop).max { $0.ends < $1.ends }
        let obstacles = replicas.compactMap(\.obstacle)
        guard obstacles.count == replicas.count else { return }
        let next = replicas.filter { $0.nextStart != nil }.min { ($0.nextStart ?? .zero) < ($1.nextStart ?? .zero) }
        self.obstacle = next?.obstacle ?? obstacles.first
        self.nextStart = next?.nextStart
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
        let stopped = self.stoppedWorkers().count
        var health = ReplicaHealth(ready: self.readyWorkers - stopped)
        health.stopped = stopped
        health.failedStarts = self.workers.lazy.map(\.failedStarts).max() ?? 0
        health.loop = loop.map { loop in
            ReplicaHealth.Loop(
                worker: self.workerName(loop.index),
                ends: loop.ends,
                cause: self.lastEnds[loop.index]?.cause ?? "ended"
            )
        }
        if health.ready == 0, stopped > 0 {
            health.obstacle = "its workers are stopped (SIGSTOP)"
        } else if health.ready == 0 {
            (health.obstacle, health.nextStart) = self.absence(at: now)
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
    func stoppedWorkers() -> Set<String> {
        let ready = self.workers.indices.lazy.filter { self.workers[$0].isReady }.map { self.workerName($0) }
        return Set(ready.filter { self.pids[$0].flatMap { ProcessStat(of: $0) }?.isStopped ?? false })
    }

    /// Sees to it that a stopped worker gets nothing while there are others; returns when the task is cancelled.
    ///
    /// No event tells of it. The lone worker of an API is not looked at: nobody else could take what it gets.
    func watchForStops() async {
        var known: Set<String> = []
        var pause = Duration.milliseconds(200)
        while (try? await Task.sleep(for: pause)) != nil {
            let isAlone = self.workers.count == 1 && known.isEmpty
            let isWatched = isAlone ? await self.queue.hasOthers(than: self.name) : true
            pause = isWatched ? .milliseconds(200) : .seconds(1)
            let stopped = isWatched ? self.stoppedWorkers() : []
            for worker in stopped.subtracting(known) {
                await self.queue.setStopped(true, worker)
                self.tell("\(worker) is stopped (SIGSTOP); it gets no requests until it goes on", of: worker)
            }
            for worker in known.subtracting(stopped) {
                await self.queue.setStopped(false, worker)
                // One that has ended is told of elsewhere.
                if self.pids[worker] != nil { self.tell("\(worker) goes on", of: worker) }
            }
            known = stopped
        }
    }
}
