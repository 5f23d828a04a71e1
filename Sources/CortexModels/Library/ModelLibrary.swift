package import CortexSpec
package import Logging

/// The models of all APIs of a server: watches their sources, and keeps on disk what is needed of them.
///
/// Two libraries never share a folder: a server holds the lock of its home. Nothing is watched, and ``open`` does not
/// return, unless ``run()`` runs.
package actor ModelLibrary {
    private static let downloads = 5

    private let sources: String
    private let storage: SourceStorage
    private let store: ModelStore
    private let gate = DownloadGate(limit: ModelLibrary.downloads)
    private let pollInterval: Duration
    private let settleTime: Duration
    private let time: LibraryTime
    private let logger: Logger
    private var watches: [SourceKey: SourceWatch] = [:]
    private var lastAPI: UInt64 = 0
    /// What ``run()`` is to run: one job for each source and each API.
    private let jobs: AsyncStream<@Sendable () async -> Void>
    private let job: AsyncStream<@Sendable () async -> Void>.Continuation

    /// Opens the library in `folder`, which is made if need be, and clears what an earlier server left there.
    ///
    /// - Parameters:
    ///   - folder: `models` in the server's home.
    ///   - local: For folders of this machine.
    ///   - remote: For URLs.
    ///   - pollInterval: Between two listings of a source.
    ///   - settleTime: A change that is still the same after this is adopted.
    package init(
        folder: String,
        local: any ObjectStorage,
        remote: any ObjectStorage,
        pollInterval: Duration = .seconds(10),
        settleTime: Duration = .seconds(1),
        logger: Logger
    ) throws {
        try self.init(
            folder: folder,
            storage: SourceStorage(local: local, remote: remote),
            pollInterval: pollInterval,
            settleTime: settleTime,
            time: LibraryTime(ContinuousClock()),
            logger: logger
        )
    }

    init(
        folder: String,
        storage: SourceStorage,
        pollInterval: Duration,
        settleTime: Duration,
        time: LibraryTime,
        logger: Logger
    ) throws {
        self.sources = "\(folder)/sources"
        self.storage = storage
        self.pollInterval = pollInterval
        self.settleTime = settleTime
        self.time = time
        self.logger = logger
        self.store = try ModelStore(folder: folder, storage: storage, now: time.wall(), logger: logger)
        try DiskFolder.make(self.sources)
        for name in try DiskFolder.names(in: self.sources) {
            let path = "\(self.sources)/\(name)"
            let used = DiskFolder.modified(path) ?? 0
            if !name.hasSuffix(".json") || used < time.wall() - ModelStore.keptFor { try DiskFolder.remove(path) }
        }
        // As many as there are sources and APIs; none may be lost.
        (self.jobs, self.job) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// Watches sources and follows them; returns when the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.touch() }
            for await job in self.jobs { group.addTask { await job() } }
        }
        await self.touchAll()
    }

    /// What is wrong with the models of a request, found by listing each of its sources once.
    package func check(_ request: ModelRequest) async -> [FieldProblem] {
        await ModelCheck(storage: self.storage).problems(of: request)
    }

    /// The same for several; sources that they share are listed once.
    package func check(_ requests: [ModelRequest]) async -> [[FieldProblem]] {
        await ModelCheck(storage: self.storage).problems(of: requests)
    }

    /// Begins to watch the sources of a request.
    ///
    /// Without a cache it returns when all their valid versions are on disk. What is listed for the first time is adopted
    /// at once where all of it is older than 10 s; else, or when it is empty, only after a second listing that finds the
    /// same.
    /// - Parameters:
    ///   - owner: Who asks, for the log.
    ///   - isRestored: The API has served before, under an earlier server: versions that are not on disk are waited for only
    ///     where a model has none that is, and a model that its source has no more is done without.
    ///   - progress: Takes a line for the user now and then.
    ///   - changed: Hears of every change after this call has returned; must not wait.
    /// - Throws: ``ModelOpenError`` where a source cannot be listed (and was not before), or a model of `model_path` or
    ///   `models.paths` has no version that can be served; `CancellationError`.
    package func open(
        _ request: ModelRequest,
        owner: String,
        isRestored: Bool = false,
        progress: @escaping @Sendable (String) -> Void,
        changed: @escaping @Sendable (ModelCatalog.Change) -> Void
    ) async throws -> APIModels {
        self.lastAPI += 1
        let id = self.lastAPI
        let keys = request.sources.map { name, source in
            SourceKey(location: source.location, layout: name == nil ? .models : .model)
        }
        let watches = keys.map(self.watch)
        var logger = self.logger
        logger[metadataKey: "api"] = "\(owner)"
        let models = APIModels(
            request,
            watches: watches,
            store: self.store,
            gate: self.gate,
            time: self.time,
            retryPace: self.pollInterval,
            logger: logger,
            changed: changed,
            leave: { keepFiles in await self.leave(id, Set(keys), keepFiles: keepFiles) }
        )
        for watch in watches { watch.subscribe(id) { models.wake() } }
        do {
            try await models.prepare(isRestored: isRestored, progress: progress)
        } catch {
            await models.close()
            throw error
        }
        self.job.yield { await models.follow() }
        return models
    }

    /// Removes files that no API needs, for a caller who knows that each has opened its models; else the day after.
    ///
    /// - Parameter isDryRun: Whether they are only counted.
    /// - Returns: How many versions of models, and their bytes.
    package func prune(isDryRun: Bool) async -> (count: Int, bytes: Int64) {
        await self.store.removeIdle(isDryRun: isDryRun)
    }

    private func watch(_ key: SourceKey) -> SourceWatch {
        if let watch = self.watches[key] { return watch }
        let isLocal = if case .folder = key.location { true } else { false }
        let watch = SourceWatch(
            key,
            storage: self.storage,
            pace: SourceState.Pace(poll: self.pollInterval, settle: self.settleTime, isLocal: isLocal),
            file: ListingFile(path: "\(self.sources)/\(key.fileName)"),
            time: self.time,
            logger: self.logger
        )
        self.watches[key] = watch
        self.job.yield { await watch.run() }
        return watch
    }

    private func leave(_ id: UInt64, _ keys: Set<SourceKey>, keepFiles: Bool) {
        for key in keys {
            guard let watch = self.watches[key], watch.unsubscribe(id) else { continue }
            self.watches[key] = nil
            if !keepFiles { watch.forget() }
        }
    }

    /// What is in use is marked so every hour: a server that comes after a crash keeps it.
    private func touch() async {
        while (try? await self.time.sleep(.seconds(3600))) != nil {
            await self.touchAll()
            await self.store.sweep(now: self.time.wall())
        }
    }

    private func touchAll() async {
        for watch in self.watches.values { watch.touch() }
        await self.store.touch()
    }
}
