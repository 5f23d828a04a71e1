import ArgumentParser
import CortexGateway

/// The flags of HTTPS; without a certificate there is none.
struct TLSOptions: ParsableArguments {
    @Option(help: "A PEM file with the certificate for HTTPS, and those that signed it (CORTEX_TLS_CERTIFICATE).")
    var tlsCertificate: String?

    @Option(help: "The PEM file with its private key (CORTEX_TLS_KEY).")
    var tlsKey: String?

    @Option(help: "The port for HTTPS; 0 takes a free one (CORTEX_TLS_PORT; default 8443).")
    var tlsPort: Int?

    @Flag(help: "Serve plain HTTP on loopback alone, whatever --host is (CORTEX_TLS_ONLY=1).")
    var tlsOnly = false

    func validate() throws {
        try PortNumber.check(self.tlsPort, of: "--tls-port")
    }

    /// Nil where there is to be no HTTPS.
    func configuration(in environment: [String: String]) throws -> TLSServerConfiguration? {
        let certificate = self.tlsCertificate ?? ServerVariable.text("CORTEX_TLS_CERTIFICATE", in: environment)
        let key = self.tlsKey ?? ServerVariable.text("CORTEX_TLS_KEY", in: environment)
        let isOnly = try self.tlsOnly || ServerVariable.isOn("CORTEX_TLS_ONLY", in: environment) ?? false
        switch (certificate, key) {
        case (nil, nil):
            guard !isOnly else { throw Self.missing("a certificate", "--tls-certificate and --tls-key") }
            return nil
        case (_?, nil): throw Self.missing("the certificate's key", "--tls-key (CORTEX_TLS_KEY)")
        case (nil, _?): throw Self.missing("the key's certificate", "--tls-certificate (CORTEX_TLS_CERTIFICATE)")
        case (let certificate?, let key?):
            return TLSServerConfiguration(
                files: TLSFiles(certificate: certificate, key: key),
                port: try self.tlsPort ?? PortNumber.variable("CORTEX_TLS_PORT", in: environment) ?? 8443,
                isOnly: isOnly
            )
        }
    }

    /// The options as another command line would take them.
    var arguments: [String] {
        var arguments: [String] = []
        if let tlsCertificate { arguments += ["--tls-certificate", tlsCertificate] }
        if let tlsKey { arguments += ["--tls-key", tlsKey] }
        if let tlsPort { arguments += ["--tls-port", "\(tlsPort)"] }
        if self.tlsOnly { arguments.append("--tls-only") }
        return arguments
    }

    private static func missing(_ what: String, _ flags: String) -> CommandFailure {
        CommandFailure("HTTPS needs \(what), and none is named", hint: "name it with \(flags)", exitCode: 2)
    }
}
