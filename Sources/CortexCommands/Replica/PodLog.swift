import CortexSpec
import CortexTelemetry
import NIOCore
import Synchronization

/// Lines of an API's log on standard output, in the form of its files: what `cortex logs` reads of a pod.
final class PodLog: Sendable {
    private let api: APIName
    private let version: Int
    private let stream: String
    private let clock = Mutex(WallClock())
    private let output = PodLog.standardOutput()

    init(api: APIName, version: Int, stream: String) {
        self.api = api
        self.version = version
        self.stream = stream
    }

    static func standardOutput() -> LineOutput {
        LineOutput(descriptor: 1) { dropped in
            let note = "\(dropped) writes of log lines were dropped: nobody read standard output"
            return ByteBuffer(string: #"{"level":"warning","message":"\#(note)"}"# + "\n")
        }
    }

    func write(_ message: String) {
        var line = ByteBuffer()
        line.writeStaticString("{\"ts\":")
        line.writeJSON(self.clock.withLock { $0.timestamp() })
        for (key, value) in [("level", "info"), ("api", "\(self.api)"), ("stream", self.stream)] {
            line.writeStaticString(",")
            line.writeJSON(key)
            line.writeStaticString(":")
            line.writeJSON(value)
        }
        line.writeString(",\"version\":\(self.version),\"message\":")
        line.writeJSON(message)
        line.writeStaticString("}\n")
        self.output.write(line)
    }
}
