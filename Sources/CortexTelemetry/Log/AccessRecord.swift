package import NIOCore

/// One answered (or abandoned) request, as its line in the access log tells it.
package struct AccessRecord: Sendable {
    /// Bytes of a path beyond which it is cut.
    private static let pathLimit = 2048

    package var requestID: String
    package var traceID: String?
    package var api: String?
    /// The splitter that led it to the API; nil where its client named the API.
    package var splitter: String?
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
    /// Requests of the call of `predict` that answered this one.
    package var batchSize: Int?
    package var worker: String?
    package var client: String
    package var errorCode: String?

    package init(
        requestID: String,
        traceID: String? = nil,
        api: String? = nil,
        splitter: String? = nil,
        version: Int? = nil,
        method: String,
        path: String,
        status: Int = 0,
        bytesIn: Int = 0,
        bytesOut: Int = 0,
        queue: TimeAmount? = nil,
        predict: TimeAmount? = nil,
        total: TimeAmount = .zero,
        batchSize: Int? = nil,
        worker: String? = nil,
        client: String,
        errorCode: String? = nil
    ) {
        self.requestID = requestID
        self.traceID = traceID
        self.api = api
        self.splitter = splitter
        self.version = version
        self.method = method
        self.path = path
        self.status = status
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.queue = queue
        self.predict = predict
        self.total = total
        self.batchSize = batchSize
        self.worker = worker
        self.client = client
        self.errorCode = errorCode
    }

    /// Appends the record as one line of JSON; keys of unknown values are left out.
    package func write(into buffer: inout ByteBuffer, timestamp: String) {
        let isLong = self.path.utf8.count > Self.pathLimit
        let path = isLong ? String(decoding: self.path.utf8.prefix(Self.pathLimit), as: UTF8.self) : self.path
        var most = 512 + timestamp.utf8.count
        most += ByteWriter.mostJSON(of: self.requestID) + ByteWriter.mostJSON(of: self.method)
        most += ByteWriter.mostJSON(of: path) + ByteWriter.mostJSON(of: self.client)
        if let traceID = self.traceID { most += ByteWriter.mostJSON(of: traceID) }
        if let api = self.api { most += ByteWriter.mostJSON(of: api) }
        if let splitter = self.splitter { most += ByteWriter.mostJSON(of: splitter) }
        if let worker = self.worker { most += ByteWriter.mostJSON(of: worker) }
        if let errorCode = self.errorCode { most += ByteWriter.mostJSON(of: errorCode) }
        buffer.write(atMost: most) { self.write(into: &$0, timestamp: timestamp, path: path) }
    }

    private func write(into line: inout ByteWriter, timestamp: String, path: String) {
        line.writeStaticString("{\"ts\":\"")
        line.writeString(timestamp)
        switch self.status {
        case 500...: line.writeStaticString("\",\"level\":\"error\"")
        case 400...: line.writeStaticString("\",\"level\":\"warning\"")
        default: line.writeStaticString("\",\"level\":\"info\"")
        }
        line.writeStaticString(",\"request_id\":")
        line.writeJSON(self.requestID)
        if let traceID = self.traceID {
            line.writeStaticString(",\"trace_id\":")
            line.writeJSON(traceID)
        }
        if let api = self.api {
            line.writeStaticString(",\"api\":")
            line.writeJSON(api)
        }
        if let splitter = self.splitter {
            line.writeStaticString(",\"splitter\":")
            line.writeJSON(splitter)
        }
        if let version = self.version {
            line.writeStaticString(",\"version\":")
            line.writeDecimal(version)
        }
        line.writeStaticString(",\"method\":")
        line.writeJSON(self.method)
        line.writeStaticString(",\"path\":")
        line.writeJSON(path)
        line.writeStaticString(",\"status\":")
        line.writeDecimal(self.status)
        line.writeStaticString(",\"bytes_in\":")
        line.writeDecimal(self.bytesIn)
        line.writeStaticString(",\"bytes_out\":")
        line.writeDecimal(self.bytesOut)
        if let queue = self.queue {
            line.writeStaticString(",\"queue_ms\":")
            line.writeMilliseconds(queue)
        }
        if let predict = self.predict {
            line.writeStaticString(",\"predict_ms\":")
            line.writeMilliseconds(predict)
        }
        line.writeStaticString(",\"total_ms\":")
        line.writeMilliseconds(self.total)
        if let batchSize = self.batchSize {
            line.writeStaticString(",\"batch_size\":")
            line.writeDecimal(batchSize)
        }
        if let worker = self.worker {
            line.writeStaticString(",\"worker\":")
            line.writeJSON(worker)
        }
        line.writeStaticString(",\"client\":")
        line.writeJSON(self.client)
        if let errorCode = self.errorCode {
            line.writeStaticString(",\"error_code\":")
            line.writeJSON(errorCode)
        }
        line.writeStaticString("}\n")
    }
}
