import CortexGateway
import CortexLocalProvider
import NIOCore

/// The server's bounds, once flags, environment and defaults are settled.
package struct ServerLimits: Hashable, Sendable {
    /// Those that differ from the default.
    private var values: [ServerLimit: Int] = [:]

    package init() {}

    subscript(limit: ServerLimit) -> Int {
        get { self.values[limit] ?? limit.standard }
        set { self.values[limit] = newValue == limit.standard ? nil : newValue }
    }

    func apply(to gateway: inout GatewayConfiguration) {
        func time(_ limit: ServerLimit) -> TimeAmount { .nanoseconds(Int64(self[limit])) }
        gateway.maximumBodySize = self[.maxBodySize]
        gateway.maximumURLLength = self[.maxURLLength]
        gateway.maximumHeaders = self[.maxHeaders]
        gateway.maximumHeaderSize = self[.maxHeaderSize]
        gateway.maximumHeadSize = self[.maxHeadSize]
        gateway.maximumConnections = self[.maxConnections]
        gateway.inlineLimit = self[.inlineLimit]
        gateway.spoolBudget = self[.spoolBudget]
        gateway.answerMemory = self[.answerMemory]
        gateway.headerTimeout = time(.headerTimeout)
        gateway.bodyTimeout = time(.bodyTimeout)
        gateway.idleTimeout = time(.idleTimeout)
        gateway.minimumUploadRate = self[.minUploadRate]
        gateway.minimumDownloadRate = self[.minDownloadRate]
        gateway.rateWindow = time(.rateWindow)
    }

    /// What workers are told.
    var payloads: PayloadLimits {
        PayloadLimits(
            inlineLimit: self[.inlineLimit],
            jsonDepth: self[.maxJSONDepth],
            formParts: self[.maxFormParts]
        )
    }
}
