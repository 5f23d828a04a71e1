package import NIOCore
import Synchronization

/// Where log lines go: appended from anywhere without waiting, written to a rotating file by `run`, and handed to whoever
/// follows.
///
/// What is not written yet is bounded; beyond the bound lines are dropped, and a line says how many.
package final class LogSink: Sendable {
    /// Bytes that may wait for the disk.
    package static let bound = 4 << 20

    private struct State {
        var pending = ByteBuffer()
        var dropped = 0
        var followers: [Int: AsyncStream<String>.Continuation] = [:]
        var nextFollower = 0
        /// Appends that have been written, and those that wait to know it.
        var flushWaiters: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    package let file: RotatingFile
    private let echo: (@Sendable (ByteBuffer) -> Void)?
    private let state = Mutex(State())
    private let signal: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// - Parameter echo: Gets what is written too, off the event loops; must not wait.
    package init(file: RotatingFile, echo: (@Sendable (ByteBuffer) -> Void)? = nil) {
        self.file = file
        self.echo = echo
        (self.signal, self.wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Appends whole lines, the last newline included.
    package func append(_ lines: ByteBuffer) {
        let followers = self.state.withLock { state -> [AsyncStream<String>.Continuation] in
            if state.pending.readableBytes + lines.readableBytes > Self.bound {
                state.dropped += 1
            } else {
                state.pending.writeImmutableBuffer(lines)
            }
            return Array(state.followers.values)
        }
        self.wake.yield()
        guard !followers.isEmpty else { return }
        for line in String(buffer: lines).split(separator: "\n") {
            for follower in followers { follower.yield(String(line)) }
        }
    }

    /// Lines from now on.
    ///
    /// A follower that is slow misses lines (the newest 10,000 are kept), and holds up nobody.
    package func follow() -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(10_000))
        let id = self.state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            state.nextFollower += 1
            state.followers[state.nextFollower] = continuation
            return state.nextFollower
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { _ in self.state.withLock { $0.followers[id] = nil } }
        return stream
    }

    /// Returns when all that was appended before has been handed to the file.
    package func flush() async {
        await withCheckedContinuation { continuation in
            let isClosed = self.state.withLock { state in
                if !state.isClosed { state.flushWaiters.append(continuation) }
                return state.isClosed
            }
            if isClosed { continuation.resume() } else { self.wake.yield() }
        }
    }

    /// Writes until `close`.
    package func run() async {
        for await _ in self.signal { await self.write() }
        await self.write()
    }

    /// Ends `run` once all is written, and every follower's stream.
    package func close() {
        let followers = self.state.withLock { state in
            state.isClosed = true
            defer { state.followers = [:] }
            return Array(state.followers.values)
        }
        for follower in followers { follower.finish() }
        self.wake.finish()
    }

    private func write() async {
        let (pending, dropped, waiters) = self.state.withLock { state in
            defer {
                state.pending = ByteBuffer()
                state.dropped = 0
                state.flushWaiters = []
            }
            return (state.pending, state.dropped, state.flushWaiters)
        }
        if pending.readableBytes > 0 {
            await self.file.append(pending)
            self.echo?(pending)
        }
        if dropped > 0 {
            let note = #"{"level":"warning","message":"\#(dropped) log writes were dropped: the disk is too slow"}"#
            await self.file.append(ByteBuffer(string: note + "\n"))
        }
        for waiter in waiters { waiter.resume() }
    }
}
