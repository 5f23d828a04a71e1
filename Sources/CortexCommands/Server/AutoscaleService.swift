import CortexControlPlane
import CortexTelemetry
import ServiceLifecycle

/// Runs the autoscaler by the machine's clocks.
struct AutoscaleService: Service {
    let loop: AutoscaleLoop

    func run() async throws {
        let ticks = SecondTicks(ContinuousClock(), origin: .milliseconds(WallClock.milliseconds()))
        await cancelWhenGracefulShutdown { await self.loop.run(ticks) }
        // Not in the task that was cancelled: the store would not write any more.
        await self.loop.save()
    }
}
