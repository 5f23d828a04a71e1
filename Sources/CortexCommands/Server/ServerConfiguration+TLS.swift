import CortexGateway

extension ServerConfiguration {
    /// The certificate for HTTPS; nil where there is to be none.
    func certificates() throws -> CertificateStore? {
        guard let tls = self.tls else { return nil }
        do {
            return try CertificateStore(tls.files)
        } catch {
            throw CommandFailure("HTTPS: \(error)", hint: error.advice)
        }
    }
}
