import CortexControlPlane
import CortexServing
import Logging
import UnixSignals

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// What signals do to a server: the first ends it in good order, another one at once.
///
/// SIGHUP is only ever a first one: a terminal that is closed sends it behind the Ctrl-C that was typed into it.
struct ShutdownSignals {
    let signals: UnixSignalsSequence
    let home: CortexHome
    let ledger: WorkerLedger
    let logger: Logger

    /// - Parameter hasTerminal: False where another part of the process answers to Ctrl-C.
    init(home: CortexHome, ledger: WorkerLedger, logger: Logger, hasTerminal: Bool) async {
        self.signals = await UnixSignalsSequence(
            trapping: hasTerminal ? [.sigterm, .sigint, .sighup] : [.sigterm, .sighup]
        )
        self.home = home
        self.ledger = ledger
        self.logger = logger
    }

    /// Calls `drain` at the first signal; returns when the task is cancelled, and never after a second signal.
    func watch(_ drain: () async -> Void) async {
        var isDraining = false
        for await signal in self.signals {
            if !isDraining {
                isDraining = true
                self.logger.info("shutting down", metadata: ["signal": "\(signal)"])
                await drain()
            } else if signal != .sighup {
                self.endNow(signal)
            }
        }
    }

    /// Nothing here waits for any part of the server, since one of them may be why it has not ended yet.
    private func endNow(_ signal: UnixSignal) -> Never {
        self.logger.warning("a second signal: workers are killed", metadata: ["signal": "\(signal)"])
        self.ledger.endAll()
        ServerRecord.remove(in: self.home)
        _exit(128 + (signal == .sigint ? SIGINT : SIGTERM))
    }
}
