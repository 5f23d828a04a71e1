import CortexControlPlane
import CortexModels
import CortexServing
import CortexSpec
import CortexTelemetry
import NIOCore
import Synchronization

/// The models of one version of an API: what of them is on disk, as the library says, and what is in memory, as the workers
/// say.
actor LocalModels {
    /// Changes of what is available, in order; has one consumer.
    nonisolated let changes: AsyncStream<ModelCatalog.Change>
    private nonisolated let request: ModelRequest
    private nonisolated let offer: Mutex<Offer>
    private let files: APIModels
    private let counters: ModelCounters
    private let log: @Sendable (_ level: String, _ message: String, _ worker: String?) -> Void
    private let announce: AsyncStream<ModelCatalog.Change>.Continuation
    private var memory = ModelMemory()
    private var loads = ModelLoads()

    /// What a worker is told when it connects.
    fileprivate struct Offer {
        var catalog: ModelCatalog
        /// Contents that workers must not load, with the reason.
        var refused: [ModelLoads.Key: String] = [:]
        /// Contents that some worker has loaded: others begin with the newest of them.
        var proven: Set<ModelLoads.Key> = []
        /// Whether a model that does not load fails the start: so it is until a version of the API has once been live.
        var isStrict: Bool
    }

    /// Brings the models to disk (all of them, where the API has no cache).
    ///
    /// - Parameters:
    ///   - owner: Names the version of the API among all that share files.
    ///   - isStrict: Whether this version of the API has never been live.
    ///   - progress: Takes a line for each step.
    static func open(
        _ request: ModelRequest,
        in library: ModelLibrary,
        owner: String,
        isStrict: Bool,
        counters: ModelCounters,
        log: @escaping @Sendable (_ level: String, _ message: String, _ worker: String?) -> Void,
        progress: @escaping @Sendable (String) -> Void
    ) async throws -> LocalModels {
        // Each change counts, and the library coalesces them: few wait.
        let (changes, heard) = AsyncStream.makeStream(of: ModelCatalog.Change.self, bufferingPolicy: .unbounded)
        let files = try await library.open(
            request,
            owner: owner,
            isRestored: !isStrict,
            progress: progress,
            changed: { heard.yield($0) }
        )
        return LocalModels(
            request,
            files: files,
            // A change that came before this is in it, and is applied once more without effect.
            catalog: await files.catalog,
            changes: changes,
            announce: heard,
            isStrict: isStrict,
            counters: counters,
            log: log
        )
    }

    private init(
        _ request: ModelRequest,
        files: APIModels,
        catalog: ModelCatalog,
        changes: AsyncStream<ModelCatalog.Change>,
        announce: AsyncStream<ModelCatalog.Change>.Continuation,
        isStrict: Bool,
        counters: ModelCounters,
        log: @escaping @Sendable (_ level: String, _ message: String, _ worker: String?) -> Void
    ) {
        self.request = request
        self.files = files
        self.offer = Mutex(Offer(catalog: catalog, isStrict: isStrict))
        self.changes = changes
        self.announce = announce
        self.counters = counters
        self.log = log
    }

    // MARK: For the workers

    nonisolated var desk: ModelDesk {
        ModelDesk(
            welcome: { self.welcome },
            ensure: { await self.ensure($0, for: $1) },
            report: { await self.received($0, from: $1) },
            ended: { await self.ended($0) }
        )
    }

    private nonisolated var welcome: JSONValue {
        let offer = self.offer.withLock { $0 }
        let isSingle = if case .single = self.request.models { true } else { false }
        let isDirectory = if case .directory = self.request.models { true } else { false }
        return .object([
            "single": .bool(isSingle),
            "dynamic": .bool(isDirectory),
            "strict": .bool(offer.isStrict),
            "cache_size": self.request.cacheSize.map { .int(Int64($0)) } ?? .null,
            "cache_memory": self.request.cacheMemory.map { .int($0) } ?? .null,
            "catalog": .object(offer.json(of: offer.catalog.models)),
        ])
    }

    /// Takes a change over into what workers are told from now on.
    ///
    /// - Returns: The body of the frame for those that are there already.
    nonisolated func apply(_ change: ModelCatalog.Change) -> ByteBuffer {
        let changed = self.offer.withLock { offer in
            for name in change.removed { offer.catalog.models[name] = nil }
            for (name, model) in change.changed { offer.catalog.models[name] = model }
            offer.forgetOldContents(of: change)
            return offer.json(of: change.changed)
        }
        var body = ByteBuffer()
        body.writeJSON(
            .object([
                "changed": .object(changed),
                "removed": .array(change.removed.sorted().map { .string($0) }),
            ])
        )
        return body
    }

    /// The version of the API is live: from now on a model that does not load harms only itself.
    nonisolated func becameLive() {
        self.offer.withLock { $0.isStrict = false }
    }

    private func ensure(_ message: EnsureMessage, for worker: String) async -> EnsuredMessage {
        guard let version = ModelVersion(folderName: message.version) else {
            return .failed(code: "MODEL_NOT_FOUND", error: "\(message.version) is not a model's version")
        }
        do {
            let path = try await self.files.ensure(
                message.model,
                version,
                generation: message.generation,
                worker: worker
            )
            self.loads.began(ModelLoads.Key(message), in: worker, at: .now)
            return .ready(path: path)
        } catch {
            if case .unavailable = error {
                self.log("error", "model \(message.model) version \(version): \(error)", worker)
            }
            return .failed(code: error.code, error: "\(error)")
        }
    }

    private func received(_ message: ModelMessage, from worker: String) async {
        self.memory.received(message, from: worker)
        self.loads.ended(ModelLoads.Key(message), in: worker, isLoaded: message.event == .loaded)
        switch message.event {
        case .loaded:
            self.offer.withLock { _ = $0.proven.insert(ModelLoads.Key(message)) }
            self.counters.loaded(message.model, isSuccess: true, seconds: message.seconds)
        case .failed, .unloaded:
            if message.event == .failed {
                self.counters.loaded(message.model, isSuccess: false, seconds: nil)
                let what = "model \(message.model) version \(message.version) could not be loaded"
                let error = message.error ?? "no reason was given"
                self.log("error", "\(what): \(error)" + (message.traceback.map { "\n\($0)" } ?? ""), worker)
            }
            if message.reason == "evicted" { self.counters.evicted() }
            guard let version = ModelVersion(folderName: message.version) else { return }
            await self.files.release(message.model, version, generation: message.generation, worker: worker)
        }
    }

    private func ended(_ worker: String) async {
        self.memory.ended(worker)
        for key in self.loads.workerEnded(worker) { self.refuse(key) }
        await self.files.workerEnded(worker)
    }

    /// Keeps a content from being loaded ever again.
    private func refuse(_ key: ModelLoads.Key) {
        let reason = "its load has ended the worker \(ModelLoads.limit) times; it is left alone until its files change"
        self.log("error", "model \(key.model) version \(key.version): \(reason)", nil)
        let model = self.offer.withLock { offer in
            offer.refused[key] = reason
            return offer.catalog.models[key.model]
        }
        if let model { self.announce.yield(ModelCatalog.Change(changed: [key.model: model])) }
    }

    // MARK: Seen from outside

    /// Models in memory, over all workers.
    var loadedCount: Int { self.memory.count }

    /// What is wrong with the places that the models come from.
    func troubles() async -> [String] { await self.files.troubles() }

    func observations() async -> [ModelObservation] {
        let statuses = await self.files.status().sorted {
            ($0.model, $0.version?.number ?? 0) < ($1.model, $1.version?.number ?? 0)
        }
        var known: Set<ModelMemory.Key> = []
        for status in statuses { if let key = ModelMemory.Key(status) { known.insert(key) } }
        self.memory.keep { known.contains($0) }
        let holders = self.memory.holders
        let refused = self.offer.withLock { $0.refused }
        var latest: [String: String] = [:]
        var observations: [ModelObservation] = []
        for status in statuses {
            var observation = ModelObservation(
                name: status.model,
                version: status.version?.description,
                isLatest: false,
                modified: status.modified,
                size: status.size,
                isOnDisk: status.isOnDisk,
                error: status.error.map(LogText.line)
            )
            if let key = ModelMemory.Key(status) {
                observation.add(self.memory.descriptions[key])
                observation.loadedBy = holders[key] ?? 0
                let error = status.error ?? self.error(of: key, status.generation, refused)
                // The highest that can be loaded: they come in the order of their numbers.
                if error == nil { latest[status.model] = key.version }
                observation.error = (error ?? self.slowness(key)).map(LogText.line)
            }
            observations.append(observation)
        }
        for index in observations.indices {
            let observation = observations[index]
            observations[index].isLatest =
                observation.version != nil && observation.version == latest[observation.name]
        }
        return observations
    }

    private func error(
        of key: ModelMemory.Key,
        _ generation: String?,
        _ refused: [ModelLoads.Key: String]
    ) -> String? {
        let load = ModelLoads.Key(model: key.model, version: key.version, generation: generation ?? "")
        if let reason = refused[load] { return reason }
        guard let failure = self.memory.failures[key], failure.generation == generation else { return nil }
        return failure.error
    }

    /// A load that takes long is told of: it may never end.
    private func slowness(_ key: ModelMemory.Key) -> String? {
        guard let start = self.loads.start(of: key.model, version: key.version) else { return nil }
        let seconds = (ContinuousClock.now - start).components.seconds
        return seconds < 10 ? nil : "it has been loading for \(seconds) s"
    }

    /// What `GET` on the API's endpoint tells of the models.
    func metadata() async -> JSONValue {
        ModelMetadata.json(
            of: await self.observations(),
            byVersion: self.request.kind.isTensorFlow && !self.request.isCached
        )
    }

    // MARK: Ending

    /// Lets go of all files; those that no other version of an API needs are removed.
    ///
    /// - Parameter keepFiles: Leaves them on disk, for the next server.
    func close(keepFiles: Bool) async {
        await self.files.close(keepFiles: keepFiles)
    }
}

extension LocalModels.Offer {
    /// What is noted of contents that are there no more is of no use.
    fileprivate mutating func forgetOldContents(of change: ModelCatalog.Change) {
        func isCurrent(_ key: ModelLoads.Key) -> Bool {
            guard change.changed[key.model] != nil || change.removed.contains(key.model) else { return true }
            guard let version = ModelVersion(folderName: key.version) else { return false }
            return self.catalog.models[key.model]?.versions[version]?.generation == key.generation
        }
        self.proven = self.proven.filter(isCurrent)
        self.refused = self.refused.filter { isCurrent($0.key) }
    }

    /// Models as workers read them.
    fileprivate func json(of models: [String: ModelCatalog.Model]) -> [String: JSONValue] {
        var entries: [String: JSONValue] = [:]
        for (name, model) in models {
            var versions: [String: JSONValue] = [:]
            for (version, entry) in model.versions {
                var content: [String: JSONValue] = [
                    "generation": .string(entry.generation), "modified": .int(entry.modified), "size": .int(entry.size),
                ]
                let key = ModelLoads.Key(model: name, version: "\(version)", generation: entry.generation)
                if let reason = self.refused[key] { content["error"] = .string(reason) }
                if self.proven.contains(key) { content["proven"] = true }
                versions["\(version)"] = .object(content)
            }
            entries[name] = .object([
                "signature_key": model.signatureKey.map { .string($0) } ?? .null, "versions": .object(versions),
            ])
        }
        return entries
    }
}

extension ModelLoads.Key {
    fileprivate init(_ message: EnsureMessage) {
        self.init(model: message.model, version: message.version, generation: message.generation)
    }

    fileprivate init(_ message: ModelMessage) {
        self.init(model: message.model, version: message.version, generation: message.generation)
    }
}

extension ModelKind {
    fileprivate var isTensorFlow: Bool { self == .tensorflow || self == .neuron }
}

extension ModelError {
    /// As a worker knows it.
    fileprivate var code: String {
        switch self {
        case .notFound: "MODEL_NOT_FOUND"
        case .unavailable, .cancelled: "MODEL_UNAVAILABLE"
        }
    }
}

extension ModelMemory.Key {
    /// Nil for a model as a whole.
    fileprivate init?(_ status: ModelStatus) {
        guard let version = status.version else { return nil }
        self.init(model: status.model, version: "\(version)")
    }
}

extension ModelObservation {
    /// Adds what is known since a worker has loaded it.
    fileprivate mutating func add(_ description: ModelMemory.Description?) {
        self.loadSeconds = description?.seconds
        self.inputs = description?.inputs?.mapValues { ModelTensor(shape: $0.shape, type: $0.type) }
        self.outputs = description?.outputs?.mapValues { ModelTensor(shape: $0.shape, type: $0.type) }
        self.signatureKey = description?.signatureKey
    }
}
