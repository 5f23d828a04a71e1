#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The session that a worker leads, with all that it started and that has not left it.
enum WorkerSession {
    /// Ends the worker and the rest of its session.
    static func end(_ worker: Int32) {
        kill(-worker, SIGKILL)
        // Shells and others put what they start into groups of their own.
        for pid in ProcessStat.allProcesses() where pid != worker && ProcessStat(of: pid)?.session == worker {
            kill(pid, SIGKILL)
        }
    }

    /// Whether the worker itself ends or has ended, whatever is left of its session; it is not waited for.
    static func isEnding(_ worker: Int32) -> Bool {
        if let stat = ProcessStat(of: worker) { return stat.isEnding }
        var information = siginfo_t()
        guard waitid(P_PID, id_t(worker), &information, WEXITED | WNOHANG | WNOWAIT) == 0 else { return true }
        return information.si_signo == SIGCHLD
    }
}
