import CortexTelemetry
import CortexWire
package import NIOCore

/// What goes over the workers' control connections. All of it runs on the queue's event loop.
extension AdmissionQueue {
    func controlOpened(_ channel: any Channel, worker: String, replica: String) {
        self.controls[worker] = WorkerControl(channel: channel, replica: replica)
    }

    func controlClosed(worker: String) {
        self.controls[worker] = nil
        self.wakeSlotWaiters()
    }

    /// Lets a worker finish what it has, and end.
    package func sendDrain(to worker: String) {
        self.sendControl(Frame(.drain), to: worker)
    }

    /// Tells the workers of some replicas that are there what has changed of their models; the body of a `models` frame.
    package func announceModels(_ change: ByteBuffer, to replicas: Set<String>) {
        for (worker, control) in self.controls where replicas.contains(control.replica) {
            self.sendControl(Frame(.models, body: change), to: worker)
        }
    }

    func answer(_ message: EnsuredMessage, to id: UInt64, of worker: String) {
        var body = ByteBuffer()
        body.writeJSON(message.json)
        self.sendControl(Frame(.ensured, id: id, body: body), to: worker)
    }

    /// Asks a worker how often its models were in memory; false where it is not there to answer.
    func askForModelCounts(_ worker: String) -> Bool {
        self.sendControl(Frame(.count), to: worker)
        return self.controls[worker] != nil
    }

    func sendControl(_ frame: Frame, to worker: String) {
        guard let control = self.controls[worker]?.channel else { return }
        var buffer = control.allocator.buffer(capacity: Frame.headLength + frame.body.readableBytes)
        frame.write(into: &buffer)
        control.writeAndFlush(buffer, promise: nil)
    }
}
