import CortexModels
import Synchronization

/// A store whose listings a test has written down, and that counts how it is asked.
final class ScriptedStorage: ObjectStorage {
    private struct State {
        var asked: [ModelLocation] = []
        var running = 0
        var mostRunning = 0
    }

    private let listings: [ModelLocation: Result<[StoredObject], StorageError>]
    private let state = Mutex(State())

    init(_ listings: [ModelLocation: Result<[StoredObject], StorageError>]) {
        self.listings = listings
    }

    var asked: [ModelLocation] { self.state.withLock { $0.asked } }
    var mostRunning: Int { self.state.withLock { $0.mostRunning } }

    func list(_ location: ModelLocation, limit: Int) async throws(StorageError) -> [StoredObject] {
        self.state.withLock { state in
            state.asked.append(location)
            state.running += 1
            state.mostRunning = max(state.mostRunning, state.running)
        }
        // Others get a turn while this one is under way.
        for _ in 0..<100 { await Task.yield() }
        self.state.withLock { $0.running -= 1 }
        guard let listing = self.listings[location] else { throw .notFound("there is no such place") }
        return try listing.get()
    }

    func fetch(
        _ objects: [StoredObject],
        of location: ModelLocation,
        dropping prefix: String,
        into folder: String,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws(StorageError) {
        throw .unsupported("a check fetches nothing")
    }
}
