import Foundation

/// Tries a port before the server takes it, so that the answer can say who has it and what to do.
struct PortCheck {
    private let host: String
    private let port: Int
    private let flag: String
    private let variable: String

    /// Throws in words where a port for requests cannot be bound.
    static func data(_ configuration: ServerConfiguration) throws {
        try Self(host: configuration.host, port: configuration.port, flag: "--port", variable: "CORTEX_PORT").check()
        guard let tls = configuration.tls else { return }
        try Self(host: configuration.host, port: tls.port, flag: "--tls-port", variable: "CORTEX_TLS_PORT").check()
    }

    /// Throws in words where the operator's port cannot be bound.
    static func `operator`(_ configuration: ServerConfiguration) throws {
        try Self(
            host: "127.0.0.1",
            port: configuration.operatorPort,
            flag: "--operator-port",
            variable: "CORTEX_OPERATOR_PORT"
        ).check()
    }

    private func check() throws {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        #if os(Linux)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(self.host, "\(self.port)", &hints, &found) == 0, let address = found else {
            throw CommandFailure(
                "\(self.host) is not an address of this machine",
                hint: "use --host 127.0.0.1 (this machine only) or --host 0.0.0.0 (all of its addresses)"
            )
        }
        defer { freeaddrinfo(found) }
        let info = address.pointee
        let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
        guard descriptor >= 0 else { throw self.failure(errno) }
        defer { close(descriptor) }
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0, listen(descriptor, 1) == 0 else {
            throw self.failure(errno)
        }
    }

    private func failure(_ error: Int32) -> CommandFailure {
        let elsewhere = "choose another port with \(self.flag) or \(self.variable) (0 takes a free one)"
        switch error {
        case EADDRINUSE:
            let holder = PortHolder.find(port: self.port).map { "is used by \($0)" } ?? "is used by another process"
            return CommandFailure("port \(self.port) \(holder)", hint: elsewhere)
        case EACCES:
            return CommandFailure("port \(self.port) needs the rights of the administrator", hint: elsewhere)
        case EADDRNOTAVAIL:
            return CommandFailure(
                "\(self.host) is not an address of this machine",
                hint: "use --host 127.0.0.1 (this machine only) or --host 0.0.0.0 (all of its addresses)"
            )
        default:
            return CommandFailure(
                "cannot bind \(self.host):\(self.port): \(String(cString: strerror(error)))",
                hint: elsewhere
            )
        }
    }
}
