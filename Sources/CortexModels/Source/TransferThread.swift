#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif
internal import Synchronization

/// A thread of its own for a transfer that blocks for as long as disks and file systems take.
///
/// The runtime has as many threads for everybody as there are processors, and in a pool a request that waits for a small
/// model would wait for a large one that somebody else needs.
enum TransferThread {
    /// Whether the task that waits for the transfer was cancelled.
    final class Cancellation: Sendable {
        private let flag = Atomic(false)

        var isCancelled: Bool { self.flag.load(ordering: .relaxed) }

        fileprivate func cancel() { self.flag.store(true, ordering: .relaxed) }
    }

    private typealias Work = @Sendable () -> Void

    /// Returns when `work` has; cancelling the task tells it so, and waits for it all the same.
    static func run(
        _ work: @escaping @Sendable (Cancellation) throws(StorageError) -> Void
    ) async throws(StorageError) {
        let cancellation = Cancellation()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<Void, StorageError>, Never>) in
                let code = Self.start {
                    continuation.resume(returning: Result { () throws(StorageError) in try work(cancellation) })
                }
                if code != 0 {
                    let reason = String(cString: strerror(code))
                    continuation.resume(returning: .failure(.failed("no thread could be started: \(reason)")))
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
        try result.get()
    }

    /// Lets others run that wait for the processor that this thread has.
    ///
    /// Linux gives a thread that has not used up its time slice some milliseconds more, even if one that answers requests
    /// has just woken up; a transfer that calls this often does not make it wait.
    static func yield() {
        sched_yield()
    }

    /// - Returns: What the system says: zero, or why there is no thread, in which case `work` is not run.
    private static func start(_ work: @escaping Work) -> CInt {
        let box = Unmanaged.passRetained(Box(work))
        #if canImport(Glibc)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { Self.body($0) }, box.toOpaque())
        if code == 0 { pthread_detach(thread) }
        #else
        var thread: pthread_t?
        let code = pthread_create(&thread, nil, { Self.body($0) }, box.toOpaque())
        if code == 0, let thread { pthread_detach(thread) }
        #endif
        if code != 0 { box.release() }
        return code
    }

    private static func body(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let box { Unmanaged<Box>.fromOpaque(box).takeRetainedValue().work() }
        return nil
    }

    private final class Box {
        let work: Work

        init(_ work: @escaping Work) { self.work = work }
    }
}
