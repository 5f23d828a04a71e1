import CortexServing
import CortexSpec

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Keeps replicas within their `compute.mem`: one task for the whole machine, which looks once a second while there is a
/// replica with a limit, and sleeps while there is none.
actor MemoryWatch {
    /// A replica with a limit.
    struct Subject: Sendable {
        var limit: ByteCount
        var workers: @Sendable () async -> Set<WorkerFamilies.Worker>
        /// Ends a worker; it is started again.
        var end: @Sendable (_ worker: String, MemoryShortage) async -> Void
    }

    /// How memory is measured.
    struct Scale: Sendable {
        /// Cheap, and too much where processes share pages.
        var resident: @Sendable (Int32) -> ByteCount
        /// Costly, and exact.
        var owned: @Sendable (Int32) -> ByteCount

        static let kernel = Scale(
            resident: { ProcessMemory.resident(of: $0) },
            owned: { ProcessMemory.owned(by: $0) }
        )
    }

    private struct Entry {
        var subject: Subject
        /// Not to be measured exactly before.
        var rest = ContinuousClock.now
    }

    private let kernelKills: KernelKills
    private let scale: Scale
    private var families: WorkerFamilies
    /// Of all workers, with a limit or without.
    private var allFamilies: WorkerFamilies
    private var entries: [String: Entry] = [:]
    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// - Parameter kernelKills: Looked at as often as the memory is, so that it knows what is of late.
    init(kernelKills: KernelKills, sight: WorkerFamilies.Sight = .kernel, scale: Scale = .kernel) {
        self.kernelKills = kernelKills
        self.scale = scale
        self.families = WorkerFamilies(sight: sight)
        self.allFamilies = WorkerFamilies(sight: sight)
        (self.wakeUps, self.wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    private static let interval = Duration.seconds(1)

    /// - Parameter replica: Its name, by which it is taken out again.
    func add(_ replica: String, _ subject: Subject) {
        self.entries[replica] = Entry(subject: subject)
        self.wake.yield()
    }

    func remove(_ replica: String) {
        self.entries[replica] = nil
    }

    /// Looks, until the task is cancelled.
    func run() async {
        for await _ in self.wakeUps {
            while !self.entries.isEmpty {
                await self.look()
                guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
            }
        }
    }

    /// Measures replicas once, and ends a worker of each that is over its limit.
    /// - Parameter only: The name of the one to be measured; nil for all.
    func look(at only: String? = nil) async {
        guard !self.entries.isEmpty else { return }
        self.kernelKills.mark()
        var workers: [String: Set<WorkerFamilies.Worker>] = [:]
        for (replica, entry) in self.entries { workers[replica] = await entry.subject.workers() }
        let members = self.families.look(for: workers.values.reduce(into: []) { $0.formUnion($1) })
        for (replica, workers) in workers where only == nil || only == replica {
            guard let entry = self.entries[replica], entry.rest <= .now else { continue }
            let names = workers.map(\.name)
            let rough = self.use(of: names, members, limit: entry.subject.limit, self.scale.resident)
            guard rough.isOver else { continue }
            let began = ContinuousClock.now
            let exact = self.use(of: names, members, limit: entry.subject.limit, self.scale.owned)
            guard let (worker, shortage) = exact.verdict else {
                // Pages that forks share: it will be so the next time, too. A twentieth of a processor is enough for that.
                self.entries[replica]?.rest = .now + (ContinuousClock.now - began) * 20
                continue
            }
            await entry.subject.end(worker, shortage)
            // With what has left its session.
            for pid in members[worker] ?? [] { kill(pid, SIGKILL) }
        }
    }

    // MARK: For metrics

    /// What workers hold of the machine's memory, with all that they have started.
    func resident(
        of apis: [(name: APIName, workers: Set<WorkerFamilies.Worker>)]
    ) -> [(api: APIName, bytes: ByteCount)] {
        let members = self.allFamilies.look(for: apis.reduce(into: []) { $0.formUnion($1.workers) })
        return apis.map { api in
            (api.name, self.use(of: api.workers.map(\.name), members, limit: ByteCount(0), self.scale.resident).total)
        }
    }

    private func use(
        of names: [String],
        _ members: [String: [Int32]],
        limit: ByteCount,
        _ measure: (Int32) -> ByteCount
    ) -> MemoryUse {
        let bytes = names.map { name in
            (name, ByteCount((members[name] ?? []).reduce(0) { $0 + measure($1).bytes }))
        }
        return MemoryUse(limit: limit, workers: Dictionary(bytes) { $1 })
    }
}
