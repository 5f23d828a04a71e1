import HTTPTypes
import Hummingbird

/// Lets in requests to a loopback name, and beyond the open routes only those with a token in force.
struct AccessMiddleware: RouterMiddleware {
    typealias Context = OperatorContext

    let tokens: TokenStore
    /// What may be read without a token.
    let openPaths: Set<String>

    @concurrent
    func handle(
        _ request: Request,
        context: OperatorContext,
        next: @concurrent (Request, OperatorContext) async throws -> Response
    ) async throws -> Response {
        // A web page whose host name was made to resolve to 127.0.0.1 (DNS rebinding) sends its own name here.
        guard let host = request.head.authority, Self.isLoopback(host) else {
            throw OperatorError.foreignHost(request.head.authority ?? "")
        }
        var context = context
        if !self.openPaths.contains(request.uri.path) {
            guard
                let header = request.headers[.authorization], let secret = Self.bearer(header),
                let name = try await self.tokens.name(ofSecret: secret)
            else { throw OperatorError.unauthorized }
            context.tokenName = name
        }
        return try await next(request, context)
    }

    static func isLoopback(_ authority: String) -> Bool {
        let host: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return false }
            host = authority[authority.index(after: authority.startIndex)..<end]
        } else {
            host = authority.prefix { $0 != ":" }
        }
        return ["localhost", "127.0.0.1", "::1"].contains(host.lowercased())
    }

    private static func bearer(_ header: String) -> String? {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }
}
