import CortexControlPlane
import CortexServing
import CortexSpec
import CortexTelemetry
import NIOCore
import Synchronization

/// The log of one API: what its predictor prints, what its workers report, what is done with its versions.
///
/// On disk it is JSON, one object a line; `lines` shows it as text.
final class APILog: Sendable {
    private let api: APIName
    let sink: LogSink
    private let clock = Mutex(WallClock())

    /// - Parameter echo: Gets what is written too; must not wait.
    init(api: APIName, directory: String, echo: (@Sendable (ByteBuffer) -> Void)? = nil) {
        self.api = api
        self.sink = LogSink(file: RotatingFile(path: "\(directory)/\(api).log"), echo: echo)
    }

    /// What a worker said; called on event loops, and never waits.
    func write(_ message: LogMessage, version: Int, worker: String) {
        self.write(
            level: message.level,
            message.message,
            version: version,
            worker: worker,
            requestID: message.requestID,
            stream: message.stream
        )
    }

    func write(
        level: String = "info",
        _ message: String,
        version: Int,
        worker: String? = nil,
        requestID: String? = nil,
        stream: String = "cortex"
    ) {
        var line = ByteBuffer()
        line.writeStaticString("{\"ts\":")
        line.writeJSON(self.clock.withLock { $0.timestamp() })
        for (key, value) in [("level", level), ("api", self.api.description), ("stream", stream)] {
            line.writeStaticString(",")
            line.writeJSON(key)
            line.writeStaticString(":")
            line.writeJSON(value)
        }
        line.writeStaticString(",\"version\":")
        line.writeDecimal(version)
        if let worker {
            line.writeStaticString(",\"worker\":")
            line.writeJSON(worker)
        }
        if let requestID {
            line.writeStaticString(",\"request_id\":")
            line.writeJSON(requestID)
        }
        line.writeStaticString(",\"message\":")
        // A worker cuts its lines; a traceback of a deep recursion is cut here.
        line.writeJSON(message.utf8.count > LogText.limit ? String(message.prefix(LogText.limit)) + " [cut]" : message)
        line.writeStaticString("}\n")
        self.sink.append(line)
    }

    /// The last lines that are there, then (where followed) those to come.
    func lines(last: Int, follow: Bool, as form: LogForm) async -> AsyncThrowingStream<String, any Error> {
        // Followed before the file is read: a line may then come twice at the seam, but none is missed.
        let live = follow ? self.sink.follow() : nil
        await self.sink.flush()
        let path = self.sink.file.path
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: String.self, bufferingPolicy: .unbounded)
        for line in LogTail.lines(of: path, last: last) { continuation.yield(LogText.render(line, as: form)) }
        guard let live else {
            continuation.finish()
            return stream
        }
        // Bridges the sink's stream to the provider's; ends with either side.
        let pump = Task {
            for await line in live { continuation.yield(LogText.render(line, as: form)) }
            continuation.finish()
        }
        continuation.onTermination = { _ in pump.cancel() }
        return stream
    }
}
