/// Where a server's certificate and its key are: PEM files.
package struct TLSFiles: Hashable, Sendable {
    /// The chain, the server's own certificate first.
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}
