import Synchronization

@testable import CortexModels

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A small object store in memory, which a test fills, breaks and holds up.
final class MemoryStorage: ObjectStorage {
    struct Content: Hashable {
        var text: String
        var modified: Int64 = 1_000_000
    }

    private struct State {
        var objects: [ModelLocation: [String: Content]] = [:]
        var flaws: [ModelLocation: [StoredObject]] = [:]
        var listError: StorageError?
        var fetchErrors: [String: StorageError] = [:]
        var listings: [ModelLocation: Int] = [:]
        var fetches: [String] = []
        var cancelledFetches = 0
        var running = 0
        var mostRunning = 0
        var isHolding = false
        var held: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    subscript(_ location: ModelLocation) -> [String: String] {
        get { self.state.withLock { $0.objects[location]?.mapValues(\.text) ?? [:] } }
        set { self.state.withLock { $0.objects[location] = newValue.mapValues { Content(text: $0) } } }
    }

    func put(_ path: String, _ text: String, modified: Int64 = 1_000_000, at location: ModelLocation) {
        self.state.withLock { $0.objects[location, default: [:]][path] = Content(text: text, modified: modified) }
    }

    func remove(_ prefix: String, at location: ModelLocation) {
        self.state.withLock { state in
            state.objects[location] = state.objects[location]?.filter { !$0.key.hasPrefix(prefix) }
        }
    }

    /// Listings have this beside the objects, until nil is set.
    func spoil(_ path: String, _ flaw: String?, at location: ModelLocation) throws {
        let flawed = try flaw.map { try StoredObject(path: path, flaw: $0) }
        self.state.withLock { state in
            state.flaws[location, default: []].removeAll { $0.path == path }
            if let flawed { state.flaws[location, default: []].append(flawed) }
        }
    }

    /// Every listing fails like this, until nil is set.
    func failListings(_ error: StorageError?) { self.state.withLock { $0.listError = error } }

    /// Every download of an object whose path begins so fails like this, until nil is set.
    func fail(_ prefix: String, _ error: StorageError?) { self.state.withLock { $0.fetchErrors[prefix] = error } }

    func listings(of location: ModelLocation) -> Int { self.state.withLock { $0.listings[location] ?? 0 } }

    /// First objects of the downloads that were begun, in their order.
    var fetches: [String] { self.state.withLock { $0.fetches } }
    var cancelledFetches: Int { self.state.withLock { $0.cancelledFetches } }
    var mostRunning: Int { self.state.withLock { $0.mostRunning } }

    /// Downloads stop after half of their first object until ``letGo()``.
    func hold() { self.state.withLock { $0.isHolding = true } }

    func letGo() {
        let held = self.state.withLock { state in
            state.isHolding = false
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    /// Returns when `count` downloads are held.
    func untilHeld(_ count: Int) async {
        await self.until { $0.held.count >= count }
    }

    func untilFetched(_ count: Int) async {
        await self.until { $0.fetches.count >= count }
    }

    func untilListed(_ location: ModelLocation, _ count: Int) async {
        await self.until { $0.listings[location] ?? 0 >= count }
    }

    private func until(_ isSo: @Sendable (borrowing State) -> Bool) async {
        while true {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isThere = self.state.withLock { state in
                    let isThere = isSo(state)
                    if !isThere { state.watchers.append(continuation) }
                    return isThere
                }
                if isThere { continuation.resume() }
            }
            if self.state.withLock({ isSo($0) }) { return }
        }
    }

    private func note<Value>(_ change: (inout State) -> sending Value) -> sending Value {
        let (value, watchers) = self.state.withLock { state in
            let value = change(&state)
            defer { state.watchers = [] }
            return (value, state.watchers)
        }
        for watcher in watchers { watcher.resume() }
        return value
    }

    func list(_ location: ModelLocation, limit: Int) async throws(StorageError) -> [StoredObject] {
        let (objects, flaws, error) = self.note { state in
            state.listings[location, default: 0] += 1
            return (state.objects[location] ?? [:], state.flaws[location] ?? [], state.listError)
        }
        if let error { throw error }
        var list = flaws
        for (path, content) in objects {
            list.append(
                try StoredObject(
                    path: path,
                    size: Int64(content.text.utf8.count),
                    modified: content.modified,
                    tag: content.text
                )
            )
        }
        return list.sorted(by: StoredObject.isOrdered)
    }

    func fetch(
        _ objects: [StoredObject],
        of location: ModelLocation,
        dropping prefix: String,
        into folder: String,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws(StorageError) {
        let (contents, errors) = self.note { state in
            state.fetches.append(objects.first?.path ?? "")
            state.running += 1
            state.mostRunning = max(state.mostRunning, state.running)
            return (state.objects[location] ?? [:], state.fetchErrors)
        }
        defer { self.note { $0.running -= 1 } }
        var bytes: Int64 = 0
        for object in objects {
            let path = "\(folder)/\(object.path.dropFirst(prefix.count))"
            self.write("half", to: path)
            progress(bytes + 1)
            await self.pause()
            if Task.isCancelled {
                self.note { $0.cancelledFetches += 1 }
                throw .cancelled
            }
            if let error = errors.first(where: { object.path.hasPrefix($0.key) })?.value { throw error }
            guard let content = contents[object.path], content.text == object.tag else {
                throw .changed("\(object.path) has changed since it was listed")
            }
            self.write(content.text, to: path)
            bytes += object.size
            progress(bytes)
        }
    }

    private func pause() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isHeld = self.note { state in
                    let isHeld = state.isHolding && !Task.isCancelled
                    if isHeld { state.held.append(continuation) }
                    return isHeld
                }
                if !isHeld { continuation.resume() }
            }
        } onCancel: {
            // Whoever is held with it goes on too; tests hold one, or cancel all.
            self.letGo()
        }
    }

    private func write(_ text: String, to path: String) {
        let url = URL(filePath: path)
        try? FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try? Data(text.utf8).write(to: url)
    }
}
