internal import Logging
internal import Synchronization

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The versions of models on this machine's disk, each once however many APIs use it.
///
/// `objects/<generation>/<version>/…` holds the files, read-only; `about.json` beside them says what they are, and that the
/// disk has them for good: it is written last. Folders appear whole, and go whole: what comes and what goes is in
/// `incoming`, which is emptied at start.
final class ModelStore: Sendable {
    /// What nobody has needed for this long goes when the server starts.
    static let keptFor: Int64 = 24 * 3600 * 1000

    private let objects: String
    private let incoming: String
    private let storage: any ObjectStorage
    private let logger: Logger
    private let state: Mutex<StoreState>

    /// Opens the store in `folder`, which is made if need be, and removes what an earlier server left half done, or
    /// whole but unused for ``keptFor``.
    init(
        folder: String,
        storage: any ObjectStorage,
        now: Int64,
        logger: Logger
    ) throws {
        let objects = "\(folder)/objects"
        self.objects = objects
        self.incoming = "\(folder)/incoming"
        self.storage = storage
        self.logger = logger
        var state = StoreState()
        for path in [folder, self.objects, self.incoming] { try DiskFolder.make(path) }
        for name in try DiskFolder.names(in: self.incoming) { try DiskFolder.remove("\(self.incoming)/\(name)") }
        for name in try DiskFolder.names(in: objects) {
            let path = "\(objects)/\(name)"
            if let used = DiskFolder.modified("\(path)/\(Self.aboutName)"), used > now - Self.keptFor {
                state.found(name)
            } else {
                try DiskFolder.remove(path)
            }
        }
        self.state = Mutex(state)
    }

    /// A number for a claim.
    func nextID() -> UInt64 {
        self.state.withLock { $0.nextID() }
    }

    func isWhole(_ generation: String) -> Bool {
        self.state.withLock { $0.isWhole(generation) }
    }

    /// How many calls wait for a generation to come.
    func waiting(for generation: String) -> Int {
        self.state.withLock { $0.waiters(for: generation).count }
    }

    /// When a generation that is on disk was last needed, in Unix milliseconds; nil for one that is not there.
    func lastNeeded(_ generation: String) -> Int64? {
        self.isWhole(generation) ? DiskFolder.modified(self.about(generation)) ?? .max : nil
    }

    /// Where the files of a generation are, or would be.
    func folder(of generation: String, version: ModelVersion) -> String {
        "\(self.objects)/\(generation)/\(version)"
    }

    /// Keeps a generation on disk, once it is there, until the claim is given up.
    ///
    /// - Returns: Whether it is there; not where its last user has just given it up, and it is on its way out.
    @discardableResult
    func claim(_ generation: String, by id: UInt64) -> Bool {
        let isWhole = self.state.withLock { state in
            state.claim(generation, by: id)
            return state.isWhole(generation)
        }
        if isWhole { DiskFolder.touch(self.about(generation)) }
        return isWhole
    }

    /// Gives a claim up; with the last one a generation goes from its place at once, and a download of it ends.
    ///
    /// - Returns: What is to be handed to ``erase(_:)``, which takes longer; nil where nothing is.
    func unclaim(_ generation: String, by id: UInt64) -> String? {
        switch self.state.withLock({ $0.unclaim(generation, by: id) }) {
        case .nothing:
            return nil
        case .remove:
            return self.discard(generation)
        case .cancel(let task):
            task?.cancel()
            return nil
        }
    }

    /// Frees the disk of what ``unclaim(_:by:)`` gave back.
    func erase(_ path: String) async {
        do {
            try await DiskWork.run { try DiskFolder.remove(path) }
        } catch {
            self.logger.error("model was not removed from disk", metadata: ["error": "\(error)"])
        }
    }

    /// Removes what nobody has needed for ``keptFor``: what a crash has left, and no API came back for.
    func sweep(now: Int64) async {
        for generation in self.state.withLock({ $0.idle }) {
            guard let used = self.lastNeeded(generation), used < now - Self.keptFor else { continue }
            await self.removeUnclaimed(generation)
        }
    }

    /// Removes what nobody has claimed, for a caller who knows that everybody has claimed what they need.
    ///
    /// - Parameter isDryRun: Whether it is only counted.
    /// - Returns: How many versions, and the bytes of their files.
    func removeIdle(isDryRun: Bool) async -> (count: Int, bytes: Int64) {
        var (count, bytes) = (0, Int64(0))
        for generation in self.state.withLock({ $0.idle }) {
            let about = self.about(generation)
            let told = try? await DiskWork.run {
                try JSONDecoder().decode(StoreAbout.self, from: Data(contentsOf: URL(filePath: about)))
            }
            if !isDryRun { guard await self.removeUnclaimed(generation) else { continue } }
            count += 1
            bytes += told?.bytes ?? 0
        }
        return (count, bytes)
    }

    /// Gives up as its last user would: nothing happens to it where another has come in between.
    @discardableResult
    private func removeUnclaimed(_ generation: String) async -> Bool {
        let claim = self.nextID()
        self.claim(generation, by: claim)
        guard let trash = self.unclaim(generation, by: claim) else { return false }
        await self.erase(trash)
        return true
    }

    /// Says that what is claimed was in use until now, for the server that comes after a crash.
    func touch() async {
        let paths = self.state.withLock { $0.claimed }.map(self.about)
        try? await DiskWork.run {
            for path in paths { DiskFolder.touch(path) }
        }
    }

    /// The folder of a version's files, which come to disk now where they are not there yet.
    ///
    /// The caller has a claim. Calls for the same generation share a download, which ends with the last of them.
    /// - Parameter progress: Gets the bytes that have come.
    func bring(
        _ item: StoreItem,
        progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws(StorageError) -> String {
        let id = self.nextID()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<String, StorageError>, Never>) in
                let waiter = StoreState.Waiter(item: item, progress: progress, continuation: continuation)
                let answer: Result<String, StorageError>? = self.state.withLock { state in
                    // The handler may have run before there was a waiter.
                    guard !Task.isCancelled else { return .failure(.cancelled) }
                    switch state.join(waiter, as: id) {
                    case .isThere: return .success(self.folder(of: item.generation, version: item.version))
                    case .wait: return nil
                    case .start:
                        self.start(item, in: &state)
                        return nil
                    }
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            self.leave(id)
        }
        return try result.get()
    }

    private func discard(_ generation: String) -> String? {
        let trash = self.temporary()
        var failure: DiskFolder.Failure?
        do throws(DiskFolder.Failure) {
            try DiskFolder.move(self.path(of: generation), to: trash)
        } catch {
            failure = error
        }
        self.state.withLock { self.proceed($0.left(generation), in: &$0) }
        guard let failure else { return trash }
        self.logger.error("model was not removed from disk", metadata: ["error": "\(failure)"])
        return nil
    }

    private func leave(_ id: UInt64) {
        switch self.state.withLock({ $0.leave(id) }) {
        case .nothing: break
        case .resume(let waiter): waiter.continuation.resume(returning: .failure(.cancelled))
        case .cancel(let task): task?.cancel()
        }
    }
}

// Downloads.
extension ModelStore {
    private static let aboutName = "about.json"

    /// Outlives the call that begins it where others wait too.
    ///
    /// In the lock, so that its end cannot come before its start.
    private func start(_ item: StoreItem, in state: inout StoreState) {
        state.started(item.generation, task: Task { await self.run(item) })
    }

    private func run(_ item: StoreItem) async {
        let result: Result<String, StorageError>
        do throws(StorageError) {
            try await self.download(item)
            result = .success(self.folder(of: item.generation, version: item.version))
        } catch {
            result = .failure(error)
        }
        let succeeded = (try? result.get()) != nil
        let waiters = self.state.withLock { state in
            let end = state.ended(item.generation, succeeded: succeeded)
            self.proceed(end.next, in: &state)
            return end.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: result) }
        if succeeded { await self.settle(item) }
    }

    private func download(_ item: StoreItem) async throws(StorageError) {
        let folder = self.temporary()
        do throws(StorageError) {
            let files = "\(folder)/\(item.version)"
            try await Self.onDisk(item) {
                try DiskFolder.make(folder)
                try DiskFolder.make(files)
            }
            try await self.storage.fetch(
                item.objects,
                of: item.location,
                dropping: item.prefix,
                into: files
            ) { bytes in
                let waiters = self.state.withLock { $0.waiters(for: item.generation) }
                for waiter in waiters { waiter.progress(bytes) }
            }
            guard !Task.isCancelled else { throw StorageError.cancelled }
            try await Self.onDisk(item) { try Self.publish(item, from: folder, to: self.path(of: item.generation)) }
        } catch {
            // Whatever is left there; the next start would find it too.
            try? await Self.onDisk(item) { try DiskFolder.remove(folder) }
            throw error
        }
    }

    private static func publish(_ item: StoreItem, from folder: String, to path: String) throws {
        for object in item.objects {
            let name = object.path.utf8.dropFirst(item.prefix.utf8.count)
            let size = DiskFolder.size("\(folder)/\(item.version)/\(Substring(name))")
            guard size == object.size else {
                throw StorageError.truncated(
                    "\(item.shown): \(object.path.escaped) has \(object.size) bytes, of which \(size ?? 0) came"
                )
            }
        }
        try DiskFolder.protect("\(folder)/\(item.version)")
        // What is there already is of no known content: it was not found whole.
        try DiskFolder.remove(path)
        try DiskFolder.move(folder, to: path)
    }

    /// Gives the files to the disk for good, and says so.
    ///
    /// Nobody waits for it.
    private func settle(_ item: StoreItem) async {
        let path = self.path(of: item.generation)
        let bytes = item.objects.reduce(0) { $0 + $1.size }
        let about = StoreAbout(source: item.shown, files: item.objects.count, bytes: bytes)
        do {
            try await DiskWork.run {
                try DiskFolder.synchronise(path)
                try DiskFolder.write(about.encoded(), to: "\(path)/\(Self.aboutName)")
            }
        } catch  where self.isWhole(item.generation) {
            self.logger.warning("model on disk will not outlast the server", metadata: ["error": "\(error)"])
        } catch {
            // It was removed meanwhile.
        }
    }

    /// Does what the end of a download or a removal asks for.
    private func proceed(_ next: StoreState.Next, in state: inout StoreState) {
        switch next {
        case .nothing: break
        case .start(let item): self.start(item, in: &state)
        case .remove(let generation):
            // Whoever gave up the last claim has gone already. Not in the lock, which it takes again.
            Task {
                if let trash = self.discard(generation) { await self.erase(trash) }
            }
        }
    }

    private func path(of generation: String) -> String { "\(self.objects)/\(generation)" }

    private func about(_ generation: String) -> String { "\(self.path(of: generation))/\(Self.aboutName)" }

    private func temporary() -> String { "\(self.incoming)/\(UUID().uuidString)" }

    private static func onDisk(
        _ item: StoreItem,
        _ work: @escaping @Sendable () throws -> Void
    ) async throws(StorageError) {
        do {
            try await DiskWork.run(work)
        } catch let error as StorageError {
            throw error
        } catch let error as DiskFolder.Failure {
            throw error.storageError(item.shown)
        } catch {
            throw .failed("\(item.shown) could not be stored: \(error)")
        }
    }
}
