import CortexSpec
import Logging
import Testing

@testable import CortexModels

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A library on a manual clock, in a folder that goes with the test.
struct TestLibrary {
    static let bucket = ModelLocation.remote(RemoteLocation(url: "s3://models/iris/"))
    /// The wall clock; far from the times of objects, unless a test gives them others.
    static let now: Int64 = 1_000_000_000

    let folder: String
    let storage: MemoryStorage
    let clock: ManualClock
    let library: ModelLibrary

    init(folder: String, storage: MemoryStorage, clock: ManualClock = ManualClock(), now: Int64 = Self.now) throws {
        self.folder = folder
        self.storage = storage
        self.clock = clock
        self.library = try ModelLibrary(
            folder: folder,
            storage: SourceStorage(local: FolderStorage(), remote: storage),
            pollInterval: .seconds(10),
            settleTime: .seconds(1),
            time: LibraryTime(clock) { now },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Runs a library on `storage`, made new or the one of an earlier call in the same folder.
    static func run<Value: Sendable>(
        _ storage: MemoryStorage,
        folder: String? = nil,
        now: Int64 = Self.now,
        _ body: sending @escaping (TestLibrary) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryFolder { temporary in
            let test = try TestLibrary(folder: folder ?? "\(temporary)/models", storage: storage, now: now)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await test.library.run() }
                defer { group.cancelAll() }
                return try await body(test)
            }
        }
    }

    func open(_ request: ModelRequest, isRestored: Bool = false) async throws -> TestAPI {
        let (changes, change) = AsyncStream.makeStream(of: ModelCatalog.Change.self)
        let models = try await self.library.open(
            request,
            owner: "iris",
            isRestored: isRestored,
            progress: { _ in },
            changed: { change.yield($0) }
        )
        return TestAPI(models: models, changes: changes)
    }

    /// What is in the store, by what it says of itself: folders of versions.
    func onDisk() throws -> [String] {
        try Self.names("\(self.folder)/objects").flatMap { generation in
            try Self.names("\(self.folder)/objects/\(generation)").filter { ModelVersion(folderName: $0) != nil }
                .flatMap { version in
                    try Self.names("\(self.folder)/objects/\(generation)/\(version)").map { name in
                        try Self.text("\(self.folder)/objects/\(generation)/\(version)/\(name)")
                    }
                }
        }
        .sorted()
    }

    func incoming() throws -> [String] { try Self.names("\(self.folder)/incoming") }

    /// Returns when the disk has all of `count` versions for good, which is a little after they are offered.
    func untilSettled(_ count: Int) async {
        let objects = "\(self.folder)/objects"
        func settled() throws -> Int {
            try Self.names(objects).filter { DiskFolder.modified("\(objects)/\($0)/about.json") != nil }.count
        }
        while (try? settled()) != count { await Task.yield() }
    }

    /// Returns when the listing of a source is on disk.
    func untilListingKept() async {
        while (try? Self.names("\(self.folder)/sources").contains { $0.hasSuffix(".json") }) != true {
            await Task.yield()
        }
    }

    static func write(_ text: String, to path: String) throws {
        let url = URL(filePath: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    static func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder)
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
}

/// An open API, and what it has told of changes.
struct TestAPI {
    let models: APIModels
    let changes: AsyncStream<ModelCatalog.Change>

    /// The next change that was told.
    func change() async throws -> ModelCatalog.Change {
        for await change in self.changes { return change }
        throw CancellationError()
    }

    /// `iris: 1 2`, one text for each model.
    func offered() async -> [String] {
        await self.models.catalog.models
            .map { "\($0.key): " + $0.value.versions.keys.sorted().map(\.description).joined(separator: " ") }
            .sorted()
    }

    func generation(_ model: String, _ version: ModelVersion) async throws -> String {
        try #require(await self.models.catalog.models[model]?.versions[version]?.generation)
    }

    /// Leases a version of the catalog, and reads its one file.
    func ensure(_ model: String, _ number: Int, worker: String = "w") async throws -> String {
        let version = try version(number)
        let generation = try await self.generation(model, version)
        let folder = try await self.models.ensure(model, version, generation: generation, worker: worker)
        return folder
    }

    func release(_ model: String, _ number: Int, worker: String = "w") async throws {
        let version = try version(number)
        let generation = try await self.generation(model, version)
        await self.models.release(model, version, generation: generation, worker: worker)
    }
}

func version(_ number: Int) throws -> ModelVersion {
    try #require(ModelVersion(folderName: "\(number)"))
}

func withTemporaryFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = "\(FileManager.default.temporaryDirectory.path)/cortex-library-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer {
        // Twice: a store may still be writing what nobody waits for.
        for _ in 1...2 { try? DiskFolder.remove(folder) }
    }
    return try await body(folder)
}

extension ModelRequest {
    init(
        _ kind: ModelKind = .python,
        _ models: Models,
        cacheSize: Int? = nil,
        diskCacheSize: Int? = nil,
        cacheMemory: Int64? = nil
    ) throws {
        let spec = APISpec(
            name: try #require(APIName("iris")),
            predictor: PredictorSpec(type: .python, path: "predictor.py", modelPath: "s3://models/iris/"),
            networking: NetworkingSpec(endpoint: "/iris")
        )
        var request = try #require(ModelRequest(spec: spec, folders: [], environment: [:], home: nil))
        request.kind = kind
        request.models = models
        request.cacheSize = cacheSize
        request.diskCacheSize = diskCacheSize
        request.cacheMemory = cacheMemory
        self = request
    }
}

extension ModelSource {
    init(_ location: ModelLocation) {
        self.init(location: location, shown: "s3://models/iris/", field: "predictor.model_path")
    }
}
