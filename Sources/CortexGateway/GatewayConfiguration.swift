package import NIOCore

/// The bounds of the data port.
package struct GatewayConfiguration: Sendable {
    package var host: String
    /// 0 takes a free one.
    package var port: Int
    /// Event loops; each connection stays on one.
    package var eventLoops: Int
    /// Folder for bodies too large to hold in memory.
    package var spoolDirectory: String
    /// Bytes that all spool files together may take.
    package var spoolBudget: Int
    /// A body beyond it is kept in the spool.
    package var inlineLimit: Int
    package var maximumBodySize: Int
    /// Bytes of answers that may wait in memory for their readers; what is more waits in files.
    package var answerMemory = 256 << 20
    /// Bytes of path and query.
    package var maximumURLLength = 64 << 10
    package var maximumHeaders = 256
    /// Bytes of one header's name, or of its value.
    package var maximumHeaderSize = 80 << 10
    /// Bytes of path, query and all headers together.
    package var maximumHeadSize = 256 << 10
    package var maximumConnections = 16384
    /// Bytes a second below which a body is given up.
    package var minimumUploadRate = 1 << 10
    /// Bytes a second below which the reader of an answer is given up.
    package var minimumDownloadRate = 1 << 10
    /// Over which both rates are averaged.
    package var rateWindow = TimeAmount.seconds(30)
    /// From the first byte of a request to the end of its head.
    package var headerTimeout: TimeAmount
    /// Between two pieces of a body.
    package var bodyTimeout: TimeAmount
    /// Between two requests of one connection.
    package var idleTimeout: TimeAmount
    /// What the access logs of gateways call this process, where it is a replica behind them; nil where clients come
    /// themselves.
    package var replicaName: String?
    /// How long requests are still taken after a shutdown was asked for.
    package var drainDelay: TimeAmount
    /// How long those in flight may then take.
    package var drainGrace: TimeAmount

    package init(
        host: String = "127.0.0.1",
        port: Int = 8888,
        eventLoops: Int = 1,
        spoolDirectory: String,
        spoolBudget: Int = 8 << 30,
        inlineLimit: Int = 1 << 20,
        maximumBodySize: Int = 1 << 30,
        headerTimeout: TimeAmount = .seconds(20),
        bodyTimeout: TimeAmount = .seconds(60),
        idleTimeout: TimeAmount = .seconds(75),
        drainDelay: TimeAmount = .milliseconds(200),
        drainGrace: TimeAmount = .seconds(30)
    ) {
        self.host = host
        self.port = port
        self.eventLoops = eventLoops
        self.spoolDirectory = spoolDirectory
        self.spoolBudget = spoolBudget
        self.inlineLimit = inlineLimit
        self.maximumBodySize = maximumBodySize
        self.headerTimeout = headerTimeout
        self.bodyTimeout = bodyTimeout
        self.idleTimeout = idleTimeout
        self.drainDelay = drainDelay
        self.drainGrace = drainGrace
    }
}
