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
        if let tlsPort, !(0...65535).contains(tlsPort) {
            throw ValidationError("--tls-port is \(tlsPort); allowed are 0 to 65535")
        }
    }

    /// Nil where there is to be no HTTPS.
    func configuration(in environment: [String: String]) throws -> TLSServerConfiguration? {
        let certificate = self.tlsCertificate ?? Self.named("CORTEX_TLS_CERTIFICATE", in: environment)
        let key = self.tlsKey ?? Self.named("CORTEX_TLS_KEY", in: environment)
        let isOnly = try self.tlsOnly || Self.isSet("CORTEX_TLS_ONLY", in: environment)
        switch (certificate, key) {
        case (nil, nil):
            guard !isOnly else { throw Self.missing("a certificate", "--tls-certificate and --tls-key") }
            return nil
        case (_?, nil): throw Self.missing("the certificate's key", "--tls-key (CORTEX_TLS_KEY)")
        case (nil, _?): throw Self.missing("the key's certificate", "--tls-certificate (CORTEX_TLS_CERTIFICATE)")
        case (let certificate?, let key?):
            return TLSServerConfiguration(
                files: TLSFiles(certificate: certificate, key: key),
                port: try self.tlsPort ?? Self.port(in: environment) ?? 8443,
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

    private static func named(_ variable: String, in environment: [String: String]) -> String? {
        environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func port(in environment: [String: String]) throws -> Int? {
        guard let text = self.named("CORTEX_TLS_PORT", in: environment) else { return nil }
        guard let port = Int(text), (0...65535).contains(port) else {
            throw CommandFailure("CORTEX_TLS_PORT is \"\(text)\"; allowed are 0 to 65535", exitCode: 2)
        }
        return port
    }

    private static func isSet(_ variable: String, in environment: [String: String]) throws -> Bool {
        try ServerVariable.isOn(variable, in: environment) ?? false
    }
}
