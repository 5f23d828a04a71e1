package import CortexGateway

/// HTTPS beside the data port, as it was asked for.
package struct TLSServerConfiguration: Hashable, Sendable {
    package var files: TLSFiles
    /// 0 takes a free one.
    package var port: Int
    /// Whether other machines get nothing but HTTPS: plain HTTP is on loopback alone then.
    package var isOnly: Bool
}
