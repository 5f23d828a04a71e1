package import NIOCore

/// One answered (or abandoned) request, as its line in the access log tells it.
package struct AccessRecord: Sendable {
    /// Bytes of a path beyond which it is cut.
    private static let pathLimit = 2048

    package var requestID: String
    package var traceID: String?
    package var api: String?
    package var version: Int?
    package var method: String
    /// Without the query, which may hold secrets.
    package var path: String
    package var status: Int
    package var bytesIn: Int
    package var bytesOut: Int
    package var queue: TimeAmount?
    package var predict: TimeAmount?
    package var total: TimeAmount
    package var worker: String?
    package var client: String
    package var errorCode: String?

    package init(requestID: String, method: String, path: String, client: String) {
        self.requestID = requestID
        self.method = method
        self.path = path
        self.client = client
        self.status = 0
        self.bytesIn = 0
        self.bytesOut = 0
        self.total = .zero
    }

    /// Appends the record as one line of JSON; keys of unknown values are left out.
    package func write(into buffer: inout ByteBuffer, timestamp: String) {
        buffer.writeStaticString("{\"ts\":\"")
        buffer.writeString(timestamp)
        switch self.status {
        case 500...: buffer.writeStaticString("\",\"level\":\"error\"")
        case 400...: buffer.writeStaticString("\",\"level\":\"warning\"")
        default: buffer.writeStaticString("\",\"level\":\"info\"")
        }
        buffer.writeStaticString(",\"request_id\":")
        buffer.writeJSON(self.requestID)
        if let traceID = self.traceID {
            buffer.writeStaticString(",\"trace_id\":")
            buffer.writeJSON(traceID)
        }
        if let api = self.api {
            buffer.writeStaticString(",\"api\":")
            buffer.writeJSON(api)
        }
        if let version = self.version {
            buffer.writeStaticString(",\"version\":")
            buffer.writeDecimal(version)
        }
        buffer.writeStaticString(",\"method\":")
        buffer.writeJSON(self.method)
        buffer.writeStaticString(",\"path\":")
        if self.path.utf8.count > Self.pathLimit {
            buffer.writeJSON(String(decoding: self.path.utf8.prefix(Self.pathLimit), as: UTF8.self))
        } else {
            buffer.writeJSON(self.path)
        }
        buffer.writeStaticString(",\"status\":")
        buffer.writeDecimal(self.status)
        buffer.writeStaticString(",\"bytes_in\":")
        buffer.writeDecimal(self.bytesIn)
        buffer.writeStaticString(",\"bytes_out\":")
        buffer.writeDecimal(self.bytesOut)
        if let queue = self.queue {
            buffer.writeStaticString(",\"queue_ms\":")
            buffer.writeMilliseconds(queue)
        }
        if let predict = self.predict {
            buffer.writeStaticString(",\"predict_ms\":")
            buffer.writeMilliseconds(predict)
        }
        buffer.writeStaticString(",\"total_ms\":")
        buffer.writeMilliseconds(self.total)
        if let worker = self.worker {
            buffer.writeStaticString(",\"worker\":")
            buffer.writeJSON(worker)
        }
        buffer.writeStaticString(",\"client\":")
        buffer.writeJSON(self.client)
        if let errorCode = self.errorCode {
            buffer.writeStaticString(",\"error_code\":")
            buffer.writeJSON(errorCode)
        }
        buffer.writeStaticString("}\n")
    }
}
