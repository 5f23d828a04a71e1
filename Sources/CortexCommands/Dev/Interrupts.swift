import ArgumentParser
import Foundation
import UnixSignals

/// Ctrl-C, of which the first asks for an end and the second is one.
struct Interrupts: Sendable {
    private let firsts: AsyncStream<Void>
    private let tell: AsyncStream<Void>.Continuation

    init() {
        (self.firsts, self.tell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Returns at the first Ctrl-C, at once where it has been; or when the task is cancelled.
    func first() async {
        for await _ in self.firsts { return }
    }

    /// Throws at the second Ctrl-C; returns when the task is cancelled.
    ///
    /// One reader for both: two would each miss presses that the other has seen.
    func watch() async throws {
        var count = 0
        for await _ in await UnixSignalsSequence(trapping: .sigint) {
            count += 1
            self.tell.yield()
            guard count > 1 else { continue }
            // What cannot be cancelled does not keep the terminal: workers end with the process that they belong to.
            Thread.detachNewThread {
                sleep(2)
                _exit(130)
            }
            throw ExitCode(130)
        }
    }
}
