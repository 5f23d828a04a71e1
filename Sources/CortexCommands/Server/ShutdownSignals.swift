import CortexControlPlane
import CortexServing
import Foundation
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
    /// Tells all clients that still wait that the server ends, and has that written to the access log.
    let cutOff: @Sendable () async -> Void

    /// - Parameter hasTerminal: False where another part of the process answers to Ctrl-C.
    init(
        home: CortexHome,
        ledger: WorkerLedger,
        logger: Logger,
        hasTerminal: Bool,
        cutOff: @escaping @Sendable () async -> Void
    ) async {
        self.signals = await UnixSignalsSequence(
            trapping: hasTerminal ? [.sigterm, .sigint, .sighup] : [.sigterm, .sighup]
        )
        self.home = home
        self.ledger = ledger
        self.logger = logger
        self.cutOff = cutOff
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
                await self.endNow(signal)
            }
        }
    }

    /// How long the clients' last answers may take; milliseconds, where nothing hangs.
    private static let farewell = Duration.milliseconds(500)

    /// No part of the server can hold this up, since one of them may be why it has not ended yet.
    private func endNow(_ signal: UnixSignal) async {
        self.logger.warning("a second signal: workers are killed", metadata: ["signal": "\(signal)"])
        let status = 128 + (signal == .sigint ? SIGINT : SIGTERM)
        let watchdog = Thread {
            Thread.sleep(forTimeInterval: Self.farewell / .seconds(1))
            self.exit(status)
        }
        watchdog.start()
        // Before the workers are killed: a client is to hear why it gets no answer, and not of a crash.
        await self.cutOff()
        self.exit(status)
    }

    private func exit(_ status: Int32) -> Never {
        self.ledger.endAll()
        ServerRecord.remove(in: self.home)
        _exit(status)
    }
}
