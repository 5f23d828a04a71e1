import CortexWire
package import Logging
package import NIOCore

/// Lists and fetches from object stores and web servers, and keeps files in the former, by a Python process on obstore.
///
/// The process is started by the first request, and again, after a delay that grows, when it ends.
package actor StorageAgent: ObjectStorage {
    /// What its environment holds.
    ///
    /// boto3 is for profiles and web identity; obstore 0.8 is the last for Python 3.9.
    package static let requirements = ["obstore>=0.8", "boto3>=1.34"]

    let launch: StorageAgentLaunch
    let eventLoops: any EventLoopGroup
    let logger: Logger
    let backoff: @Sendable (_ failures: Int) -> Duration

    /// Where the agent is.
    ///
    /// Every connection takes what is unsent, so a request may come in all of them but the last.
    enum Stage {
        /// Nothing is asked. Next: `starting`, `stopped`.
        case idle
        /// From the wish to the process's connection. Next: `connected`, `idle`, `stopped`.
        case starting
        /// Next: `idle`, `stopped`.
        case connected(AsyncStream<Frame>.Continuation)
        /// ``run()`` has returned.
        case stopped
    }

    var stage = Stage.idle
    var requests = AgentRequests()
    private var lastID: UInt64 = 0
    /// One wish is enough, however many ask.
    let wishes = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// - Parameter backoff: The delay before the next start, after that many in a row that failed.
    package init(
        launch: StorageAgentLaunch,
        eventLoops: any EventLoopGroup,
        logger: Logger,
        backoff: @escaping @Sendable (_ failures: Int) -> Duration = StorageAgent.delay
    ) {
        self.launch = launch
        self.eventLoops = eventLoops
        self.logger = logger
        self.backoff = backoff
    }

    /// 100 ms, 200 ms, 400 ms … 30 s from the tenth on, ±10 % jitter.
    package static func delay(failures: Int) -> Duration {
        let doublings = min(max(failures - 1, 0), 16)
        return min(.milliseconds(100) * (1 << doublings), .seconds(30)) * Double.random(in: 0.9...1.1)
    }

    package func list(_ location: ModelLocation, limit: Int) async throws(StorageError) -> [StoredObject] {
        let remote = try Self.remote(location)
        return try await self.ask { id in
            [
                try Frame(
                    .list,
                    id: id,
                    json: ListMessage(url: remote.url, options: remote.options, limit: limit)
                )
            ]
        }
    }

    package func fetch(
        _ objects: [StoredObject],
        of location: ModelLocation,
        dropping prefix: String,
        into folder: String,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws(StorageError) {
        let remote = try Self.remote(location)
        _ = try await self.ask(progress: progress) { id in
            try FetchMessage(
                url: remote.url,
                options: remote.options,
                folder: folder,
                prefix: prefix,
                objects: objects
            ).frames(id: id)
        }
    }

    static func remote(_ location: ModelLocation) throws(StorageError) -> RemoteLocation {
        switch location {
        case .remote(let remote): return remote
        case .folder(let path): throw .unsupported("\(path) is a folder of this machine, not a place in a store")
        }
    }

    /// Sends a request and waits for its end, however that comes: when this has returned the agent does nothing for it.
    func ask(
        progress: @escaping @Sendable (Int64) -> Void = { _ in },
        frames: (UInt64) throws -> [Frame]
    ) async throws(StorageError) -> [StoredObject] {
        if Task.isCancelled { throw .cancelled }
        self.lastID += 1
        let id = self.lastID
        let encoded: [Frame]
        do {
            encoded = try frames(id)
        } catch {
            throw .failed("the request to the storage agent cannot be written: \(error)")
        }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let request = AgentRequests.Request(frames: encoded, progress: progress) { outcome in
                    continuation.resume(returning: outcome)
                }
                self.begin(request, id: id)
            }
        } onCancel: {
            // From a handler that may not wait, into the actor.
            Task { await self.cancel(id) }
        }
        return try outcome.get()
    }

    private func begin(_ request: AgentRequests.Request, id: UInt64) {
        if case .stopped = self.stage {
            request.finish(.failure(Self.stopped))
            return
        }
        self.requests.add(request, id: id)
        switch self.stage {
        case .idle, .starting, .stopped: self.wishes.continuation.yield()
        case .connected(let outbox): self.sendUnsent(to: outbox)
        }
    }

    private func cancel(_ id: UInt64) {
        switch self.requests.cancelled(id) {
        case .nothing: break
        case .finish(let finish): finish(.failure(.cancelled))
        case .send(let frame):
            if case .connected(let outbox) = self.stage { outbox.yield(frame) }
        }
    }

    func sendUnsent(to outbox: AsyncStream<Frame>.Continuation) {
        for frame in self.requests.takeUnsent() { outbox.yield(frame) }
    }

    /// Ends all requests that there are.
    func failAll(_ error: StorageError) {
        for finish in self.requests.takeAll() { finish(.failure(error)) }
    }

    static let stopped = StorageError.failed("the storage agent has been stopped with the server")
}
