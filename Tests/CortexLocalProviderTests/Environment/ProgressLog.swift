import Synchronization

/// Collects progress lines, and hands them on as they come.
final class ProgressLog: Sendable {
    private let collected = Mutex<[String]>([])
    private let continuation: AsyncStream<String>.Continuation
    /// Has one consumer.
    let stream: AsyncStream<String>

    init() {
        (self.stream, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    var lines: [String] { self.collected.withLock { $0 } }

    func add(_ line: String) {
        self.collected.withLock { $0.append(line) }
        self.continuation.yield(line)
    }

    /// Returns once a line begins with `prefix`.
    func line(beginningWith prefix: String) async -> String? {
        await self.stream.first { $0.hasPrefix(prefix) }
    }
}
