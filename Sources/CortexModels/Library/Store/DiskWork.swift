internal import NIOPosix

/// Work that waits for a disk, on threads that may wait.
enum DiskWork {
    /// Runs to its end whether or not the task is cancelled: what is half done is also to be cleared away.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            NIOThreadPool.singleton.submit { state in
                switch state {
                case .active: continuation.resume(with: Result { try work() })
                // Never: that pool lives as long as the process.
                case .cancelled: continuation.resume(throwing: CancellationError())
                }
            }
        }
    }
}
