internal import CortexSpec
internal import Logging

/// The models of one version of an API: what its workers can ask for, and what they use.
package actor APIModels {
    /// How long a source that others use may change before it is taken as it was last adopted.
    private static let longestUnrest = Duration.seconds(10)
    /// Downloads of one API at once; the library's gate bounds all of them.
    static let downloads = 5

    let request: ModelRequest
    let store: ModelStore
    let watches: [SourceWatch]
    let time: LibraryTime
    let gate: DownloadGate
    let logger: Logger
    private let changed: @Sendable (ModelCatalog.Change) -> Void
    private let leave: @Sendable (_ keepFiles: Bool) async -> Void

    /// Something may be different: a source was listed, a download has ended.
    ///
    /// One signal stands for any number of them.
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    /// What workers are offered now.
    package private(set) var catalog = ModelCatalog()
    private(set) var index: ModelIndex
    var plan: DownloadPlan
    var slots: DiskSlots
    /// Why versions that were asked for did not come; nobody tries again until they are asked for again.
    var misses: [DiskSlots.Key: StorageError] = [:]
    /// Of the sources, as taken into the index.
    private var revisions: [UInt64]
    var running = 0
    /// Models whose change nobody has been told of.
    private var news: Set<String> = []
    /// What is off its place, and still takes room on disk.
    var trash: [String] = []
    private(set) var stage = Stage.opening

    enum Stage {
        /// Next: `open`, `closed`.
        case opening
        /// Next: `closed`.
        case open
        case closed
    }

    init(
        _ request: ModelRequest,
        watches: [SourceWatch],
        store: ModelStore,
        gate: DownloadGate,
        time: LibraryTime,
        retryPace: Duration,
        logger: Logger,
        changed: @escaping @Sendable (ModelCatalog.Change) -> Void,
        leave: @escaping @Sendable (_ keepFiles: Bool) async -> Void
    ) {
        self.request = request
        self.watches = watches
        self.store = store
        self.gate = gate
        self.time = time
        self.logger = logger
        self.changed = changed
        self.leave = leave
        self.index = ModelIndex(request, isOnDisk: { store.isWhole($0) })
        self.plan = DownloadPlan(pace: retryPace)
        self.slots = DiskSlots(limit: request.isCached ? request.diskCacheSize : nil)
        self.revisions = Array(repeating: 0, count: watches.count)
        (self.signals, self.signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Makes the API look at its sources and downloads again.
    nonisolated func wake() {
        self.signal.yield()
    }

    /// Waits until every source is known, and brings what has to be there before the first worker starts.
    ///
    /// - Parameter isRestored: The API has served before: what is on disk is enough to begin with, and the rest comes later.
    /// - Throws: ``ModelOpenError`` or `CancellationError`.
    func prepare(isRestored: Bool, progress: @escaping @Sendable (String) -> Void) async throws {
        try await self.awaitListings(progress: progress)
        var problems = self.request.problems.filter { $0.severity == .error }.map(\.description)
        for (watch, source) in zip(self.watches, self.request.sources) where watch.snapshot.revision == 0 {
            let name = source.name.map { $0 == ModelRequest.singleName ? "" : "\($0.escaped): " } ?? ""
            problems.append(name + (watch.snapshot.error.map { "\($0)" } ?? "not listed"))
        }
        guard problems.isEmpty else { throw ModelOpenError(problems: problems) }
        self.refresh()
        if self.request.isCached { await self.takeOver(self.inheritance()) }
        let downloads = DownloadProgress(total: self.plan.count, time: self.time, report: progress)
        if isRestored {
            await self.downloadAll(downloads) { self.store.isWhole($0.generation) }
            await self.downloadAll(downloads) { self.catalog.models[$0.model] == nil }
        } else {
            await self.downloadAll(downloads)
        }
        try Task.checkCancellation()
        // What its source has no more is no reason for an API that has served before to stay away: it may come back.
        let names = self.request.sources.compactMap { $0.name }
        problems = names.filter { !isRestored || self.plan.failure(of: $0) != nil }.compactMap(self.problem)
        guard problems.isEmpty else { throw ModelOpenError(problems: problems) }
        guard case .opening = self.stage else { throw CancellationError() }
        self.stage = .open
        self.news = []
        self.wake()
    }

    /// Waits until every source has been listed since now, and has stood still or been waited for long enough.
    ///
    /// Listings that others have had may be older than what the user has changed before a deploy.
    private func awaitListings(progress: @escaping @Sendable (String) -> Void) async throws {
        let targets = self.watches.map { $0.request() }
        let start = self.time.elapsed()
        var told: Set<Int> = []
        var signals = self.signals.makeAsyncIterator()
        func isAwaited(_ number: Int) -> Bool {
            let watch = self.watches[number]
            guard watch.snapshot.isKnown, watch.hasAnswered(targets[number]) else { return true }
            return watch.snapshot.isChanging && self.time.elapsed() - start < Self.longestUnrest
        }
        while let number = self.watches.indices.first(where: isAwaited) {
            if self.watches[number].snapshot.isChanging, told.insert(number).inserted {
                progress("waiting until \(self.request.sources[number].source.shown.escaped) stands still")
            }
            guard await signals.next(isolation: #isolation) != nil else { throw CancellationError() }
        }
    }

    /// Follows the sources until the API is closed, or the task is cancelled.
    func follow() async {
        await withDiscardingTaskGroup { group in
            for await _ in self.signals {
                self.refresh()
                self.announce()
                while self.running < Self.downloads, let key = self.plan.next() {
                    self.running += 1
                    group.addTask {
                        await self.download(key)
                        await self.ended()
                    }
                }
                let trash = self.trash
                self.trash = []
                if !trash.isEmpty { group.addTask { await self.erase(trash) } }
            }
            group.cancelAll()
        }
    }

    /// Gives everything up: leases end, and what no other API needs goes from disk.
    ///
    /// - Parameter keepFiles: Leaves the files: the server ends, and its successor will want them.
    package func close(keepFiles: Bool = false) async {
        if case .closed = self.stage { return }
        self.stage = .closed
        self.signal.finish()
        let freed = self.slots.freeAll()
        let trash = self.trash + (keepFiles ? [] : self.unclaim(freed))
        self.trash = []
        await self.leave(keepFiles)
        await self.erase(trash)
    }
}

// What the sources hold becomes what is offered.
extension APIModels {
    /// Takes in what the sources hold now.
    private func refresh() {
        guard self.stage != .closed else { return }
        for (number, watch) in self.watches.enumerated() {
            let snapshot = watch.snapshot
            guard snapshot.revision > self.revisions[number] else { continue }
            self.revisions[number] = snapshot.revision
            for name in self.index.update(number, objects: snapshot.objects) { self.take(name) }
        }
        self.plan.retry(now: self.time.elapsed())
    }

    /// Offers and plans what a model is now.
    private func take(_ name: String) {
        let model = self.index.models[name]
        var versions = self.catalog.models[name]?.versions ?? [:]
        for (version, entry) in versions where model?.versions[version] == nil {
            let key = DiskSlots.Key(model: name, version: version, generation: entry.generation)
            let isKept = model?.isBroken(version) == true && self.slots.isOnDisk(key)
            if !isKept { versions[version] = nil }
        }
        var wanted: [DiskSlots.Key] = []
        for (version, found) in (model?.versions ?? [:]).sorted(by: { $0.key < $1.key }) {
            if self.request.isCached || versions[version]?.generation == found.generation {
                versions[version] = found.entry
            } else {
                wanted.append(DiskSlots.Key(model: name, version: version, generation: found.generation))
            }
        }
        self.plan.want(wanted, of: name)
        self.misses = self.misses.filter { $0.key.model != name || self.isWanted($0.key) }
        self.offer(versions, of: name)
    }

    /// Changes what workers are offered of a model, and frees what that makes useless.
    func offer(_ versions: [ModelVersion: ModelCatalog.Version], of name: String) {
        let old = self.catalog.models[name]
        let new = ModelCatalog.Model(
            signatureKey: self.index.signatureKey(name) ?? old?.signatureKey,
            versions: versions
        )
        guard new != old, !(versions.isEmpty && old == nil) else { return }
        self.catalog.models[name] = versions.isEmpty ? nil : new
        self.news.insert(name)
        for (version, entry) in old?.versions ?? [:] where versions[version]?.generation != entry.generation {
            let key = DiskSlots.Key(model: name, version: version, generation: entry.generation)
            if let slot = self.slots.free(key) { self.trash += self.unclaim([slot]) }
        }
    }

    private func ended() {
        self.running -= 1
        self.wake()
    }

    private func announce() {
        guard case .open = self.stage, !self.news.isEmpty else { return }
        var change = ModelCatalog.Change()
        for name in self.news {
            if let model = self.catalog.models[name] {
                change.changed[name] = model
            } else {
                change.removed.insert(name)
            }
        }
        self.news = []
        self.changed(change)
    }
}
