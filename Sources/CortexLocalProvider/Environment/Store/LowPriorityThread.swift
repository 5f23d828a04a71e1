import Foundation

/// A thread for long work on the disk, which must not keep requests waiting.
enum LowPriorityThread {
    /// Runs `work` to its end, whether or not the task is cancelled.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread {
                // On Linux this is of the calling thread alone, against POSIX.
                #if os(Linux)
                setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
                #else
                setpriority(PRIO_DARWIN_THREAD, 0, PRIO_DARWIN_BG)
                #endif
                continuation.resume(with: Result { try work() })
            }
            thread.name = "cortex-disk"
            thread.start()
        }
    }
}
