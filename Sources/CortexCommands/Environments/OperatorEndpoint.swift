import Foundation

/// The address of an operator: `https://HOST[:PORT][/PATH]`, or `http` on this machine.
struct OperatorEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// Without a trailing slash.
    let description: String

    /// Without a scheme, `https` is meant, and `http` for this machine.
    ///
    /// A token that went to another machine over plain `http` could be read on its way, so that this is refused.
    init(_ text: String) throws(CommandFailure) {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        var whole = trimmed
        if !trimmed.contains("://") {
            let host = URLComponents(string: "http://\(trimmed)")?.host ?? ""
            whole = (Self.isLoopback(host) ? "http://" : "https://") + trimmed
        }
        guard let parts = URLComponents(string: whole), let host = parts.host, !host.isEmpty,
            parts.scheme == "https" || parts.scheme == "http"
        else { throw Self.refusal("\(String(text.prefix(200)).debugDescription) is no address of an operator") }
        guard parts.user == nil, parts.password == nil else {
            throw Self.refusal("the address of an operator holds no user or password; give the token with --token-file")
        }
        guard parts.query == nil, parts.fragment == nil else {
            throw Self.refusal("\(String(text.prefix(200)).debugDescription) has a query or a fragment")
        }
        guard parts.scheme == "https" || Self.isLoopback(host) else {
            throw Self.refusal("\(whole) would send the token unencrypted")
        }
        while whole.hasSuffix("/") { whole.removeLast() }
        self.description = whole
    }

    private static func isLoopback(_ host: String) -> Bool {
        ["localhost", "::1", "[::1]"].contains(host)
            || (host.hasPrefix("127.") && host.split(separator: ".").count == 4)
    }

    private static func refusal(_ message: String) -> CommandFailure {
        CommandFailure(
            message,
            hint: "allowed are https://HOST[:PORT], and http://localhost:PORT for this machine",
            exitCode: 2
        )
    }
}
