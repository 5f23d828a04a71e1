/// Why a worker cannot be had.
package enum WorkerError: Error, Hashable {
    case unknownWorker
    case wrongProtocol(Int)
    /// The user's predictor could not be built; the traceback is in the log.
    case failed(FailedMessage)
    /// The process ended before it was ready.
    case exited(WorkerExit)
    case couldNotStart(reason: String)

    package var isOutOfMemory: Bool {
        if case .exited(let exit) = self { exit.isOutOfMemory } else { false }
    }
}

extension WorkerError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownWorker: "a process that is none of this server's workers tried to connect"
        case .wrongProtocol(let version):
            "the worker speaks version \(version) of the protocol, not \(wireProtocolVersion)"
        case .failed(let message): message.error
        case .exited(let exit): "the worker \(exit) before it was ready"
        case .couldNotStart(let reason): "it could not be started: \(reason)"
        }
    }
}
