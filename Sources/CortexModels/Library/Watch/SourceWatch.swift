internal import Logging
internal import Synchronization

/// Lists one source again and again, for all APIs that use it.
final class SourceWatch: Sendable {
    private struct Shared {
        var state: SourceState
        var subscribers: [UInt64: @Sendable () -> Void] = [:]
        var isEnded = false
        /// Whether it was listed ahead of its time since it last was listed in time.
        var isHurried = false
        /// Listings that were begun, and that have ended.
        var begun: UInt64 = 0
        var ended: UInt64 = 0
    }

    let key: SourceKey
    private let storage: any ObjectStorage
    private let file: ListingFile
    private let time: LibraryTime
    private let logger: Logger
    private let shared: Mutex<Shared>
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    init(
        _ key: SourceKey,
        storage: any ObjectStorage,
        pace: SourceState.Pace,
        file: ListingFile,
        time: LibraryTime,
        logger: Logger
    ) {
        self.key = key
        self.storage = storage
        self.file = file
        self.time = time
        self.logger = logger
        self.shared = Mutex(Shared(state: SourceState(layout: key.layout, pace: pace)))
        // A source that is to be looked at twice is looked at once.
        (self.wakes, self.wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// What is known of the source now.
    var snapshot: SourceSnapshot { self.shared.withLock { $0.state.snapshot } }

    /// - Parameter signal: Called after every listing, whether or not it brought news; must not wait.
    func subscribe(_ id: UInt64, signal: @escaping @Sendable () -> Void) {
        self.shared.withLock { $0.subscribers[id] = signal }
    }

    /// The last one's leaving ends the watch; returns whether it did.
    func unsubscribe(_ id: UInt64) -> Bool {
        let isEnded = self.shared.withLock { shared in
            shared.subscribers[id] = nil
            shared.isEnded = shared.subscribers.isEmpty
            return shared.isEnded
        }
        if isEnded { self.wake.yield() }
        return isEnded
    }

    /// Lists the source at once, since something there is not as it was listed; once between two polls, so that an object
    /// that never is as it is listed costs little.
    func hurry() {
        let isFirst = self.shared.withLock { shared in
            defer { shared.isHurried = true }
            return !shared.isHurried
        }
        if isFirst { self.wake.yield() }
    }

    /// Asks for a listing that begins after this; ``hasAnswered(_:)`` tells of it.
    func request() -> UInt64 {
        let begun = self.shared.withLock { $0.begun }
        // The first one is on its way anyhow.
        if begun > 0 { self.wake.yield() }
        return begun + 1
    }

    func hasAnswered(_ number: UInt64) -> Bool {
        self.shared.withLock { $0.ended >= number }
    }

    /// Says that the kept listing is in use.
    func touch() {
        DiskFolder.touch(self.file.path)
    }

    /// Removes the kept listing: nobody needs it.
    func forget() {
        self.file.remove()
    }

    /// Returns when the last subscriber has left, or the task is cancelled.
    func run() async {
        while !Task.isCancelled, !self.shared.withLock({ $0.isEnded }) {
            let number = self.shared.withLock { shared in
                shared.begun += 1
                return shared.begun
            }
            let step = await self.list()
            self.shared.withLock { $0.ended = number }
            if step.hasChanged { await self.keep() }
            for signal in self.shared.withLock({ $0.subscribers }).values { signal() }
            await self.pause(Self.pick(step.wait))
        }
    }

    /// Away from whoever waits: comparing the listings of thousands of models takes its time.
    @concurrent
    private func list() async -> SourceState.Step {
        let start = self.time.elapsed()
        do throws(StorageError) {
            let objects = try await self.storage.list(self.key.location, limit: self.key.layout.limit)
                .filter { !$0.isHidden }
            let (now, cost) = (self.time.wall(), self.time.elapsed() - start)
            return self.shared.withLock { $0.state.listed(objects, now: now, cost: cost) }
        } catch {
            let cost = self.time.elapsed() - start
            // With the store away, what an earlier server knew is better than nothing.
            let known = self.snapshot.revision == 0 ? await self.file.read() : nil
            let (step, isNews) = self.shared.withLock { shared in
                let isNews = shared.state.snapshot.error != error
                if let known { shared.state.restored(known) }
                return (shared.state.failed(error, cost: cost), isNews)
            }
            if isNews, error != .cancelled {
                self.logger.warning("model source cannot be listed", metadata: ["error": "\(error)"])
            }
            return step
        }
    }

    private func keep() async {
        do {
            try await self.file.write(self.snapshot.objects)
        } catch {
            self.logger.warning("listing of models was not kept", metadata: ["error": "\(error)"])
        }
    }

    private func pause(_ duration: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await self.time.sleep(duration)
                    self.shared.withLock { $0.isHurried = false }
                    self.wake.yield()
                } catch {
                    // Woken by something else.
                }
            }
            // Not in a task of its own: an iteration that is cancelled ends the stream for good.
            for await _ in self.wakes { break }
            group.cancelAll()
        }
    }

    private static func pick(_ range: ClosedRange<Duration>) -> Duration {
        let spread = range.upperBound - range.lowerBound
        return range.lowerBound + spread * Double.random(in: 0...1)
    }
}
