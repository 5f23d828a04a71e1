/// Why a worker cannot be had.
package enum WorkerError: Error, Hashable {
    case unknownWorker
    case wrongProtocol(Int)
    /// The user's predictor could not be built; the traceback is in the log.
    case failed(FailedMessage)
    /// The process ended before it was ready.
    case exited(WorkerExit)
    case couldNotStart(reason: String)
}

extension WorkerError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownWorker: "a process that is none of this server's workers tried to connect"
        case .wrongProtocol(let version):
            "the worker speaks version \(version) of the protocol, not \(wireProtocolVersion)"
        case .failed(let message): message.error
        case .exited(let exit): "the worker \(exit) before it was ready"
        case .couldNotStart(let reason): "the worker could not be started: \(reason)"
        }
    }
}

/// How a worker's process ended.
package enum WorkerExit: Hashable, Sendable, CustomStringConvertible {
    case status(Int32)
    case signal(Int32)

    package var description: String {
        switch self {
        case .status(let status): "exited with status \(status)"
        case .signal(9): "was killed (signal 9; out of memory is a common cause)"
        case .signal(11): "crashed (signal 11, segmentation fault)"
        case .signal(6): "aborted (signal 6)"
        case .signal(let signal): "was ended by signal \(signal)"
        }
    }

    /// A bounded word for the `reason` label of metrics.
    package var label: String {
        switch self {
        case .status: "exit"
        case .signal(9): "killed"
        case .signal: "signal"
        }
    }
}
