package import CortexSpec

/// How a worker's process ended.
package enum WorkerExit: Hashable, Sendable, CustomStringConvertible {
    case status(Int32)
    /// Sent by itself, or by somebody who is not this server.
    case signal(Int32)
    case outOfMemory(MemoryShortage)
    /// Ended by this server: the request of this id outlived its deadline by more than the grace.
    case overdue(requestID: String)
    /// It ended by itself: a device did not answer any more.
    case lostDevice
    /// Ended by this server: it had closed its connection, and lived on.
    case disconnected

    package var description: String {
        switch self {
        case .status(let status): "exited with status \(status)"
        case .signal(9): "was killed by signal 9, which this server did not send"
        case .signal(11): "crashed (signal 11, segmentation fault)"
        case .signal(6): "aborted (signal 6)"
        case .signal(let signal): "was ended by signal \(signal)"
        case .outOfMemory(let shortage): "\(shortage)"
        case .lostDevice: "ended because a device does not answer in it any more"
        case .overdue(let requestID): "did not answer request \(requestID) in time and was ended"
        case .disconnected: "closed its connection to the server and was ended"
        }
    }

    /// A bounded word for the `reason` label of metrics.
    package var label: String {
        switch self {
        case .status: "exit"
        case .signal(9): "killed"
        case .signal: "signal"
        case .outOfMemory: "out_of_memory"
        case .lostDevice: "device"
        case .overdue: "overdue"
        case .disconnected: "disconnected"
        }
    }

    /// All that ``label`` can be.
    package static let labels = ["exit", "killed", "signal", "out_of_memory", "device", "overdue", "disconnected"]

    /// By the status of a process; some are the worker's own (`lifetime.py`).
    package init(status: Int32) {
        self =
            switch status {
            case 241: .lostDevice
            case 242: .outOfMemory(.raised)
            default: .status(status)
            }
    }

    package var isOutOfMemory: Bool {
        if case .outOfMemory = self { true } else { false }
    }
}

/// Whose memory ran out.
package enum MemoryShortage: Hashable, Sendable, CustomStringConvertible {
    /// The replica's, of which `compute.mem` speaks: it used `used` of `limit`, the ended worker `share` of that.
    case limit(used: ByteCount, limit: ByteCount, share: ByteCount)
    /// The machine's, or that of the container around the server: the kernel ended the worker.
    case machine
    /// The predictor raised `MemoryError`.
    case raised

    package var description: String {
        switch self {
        case .limit(let used, let limit, let share) where share == used:
            "used \(used.inMebibytes) of \(limit.inMebibytes) (compute.mem) and was ended"
        case .limit(let used, let limit, let share):
            "used \(share.inMebibytes) of the \(used.inMebibytes) of its replica, which may use \(limit.inMebibytes) "
                + "(compute.mem), and was ended"
        case .raised: "ended because its predictor raised MemoryError"
        case .machine: "was ended by the kernel, since the machine or its container had no memory left"
        }
    }
}

extension ByteCount {
    /// Rounded up to whole mebibytes, so that what is over a limit reads so.
    fileprivate var inMebibytes: String { "\((self.bytes + (1 << 20) - 1) >> 20) MiB" }
}
