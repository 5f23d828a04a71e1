import HTTPTypes
import Hummingbird

/// Lets in requests to a name of its own, and beyond the open routes only those with a token in force.
struct AccessMiddleware: RouterMiddleware {
    typealias Context = OperatorContext

    let tokens: any AccessTokens
    let routes: OperatorRoutes
    /// See ``OperatorApplication/Address/names``.
    let names: Set<String>?
    private let openPaths: Set<String>

    init(tokens: any AccessTokens, routes: OperatorRoutes, names: Set<String>?) {
        self.tokens = tokens
        self.routes = routes
        self.names = names
        self.openPaths = routes.openPaths
    }

    @concurrent
    func handle(
        _ request: Request,
        context: OperatorContext,
        next: @concurrent (Request, OperatorContext) async throws -> Response
    ) async throws -> Response {
        // A web page whose host name was made to resolve to 127.0.0.1 (DNS rebinding) sends its own name here.
        guard let host = request.head.authority, self.isOwn(host) else {
            throw OperatorError.foreignHost(request.head.authority ?? "")
        }
        var context = context
        if !self.openPaths.contains(request.uri.path) {
            guard
                let header = request.headers[.authorization], let secret = Self.bearer(header),
                let name = try await self.tokens.name(ofSecret: secret)
            else { throw OperatorError.unauthorized }
            // What the pods of users' predictors could learn must not deploy.
            guard name != TokenSecret.machines || self.routes.isForMachines(request) else {
                throw OperatorError.unauthorized
            }
            context.tokenName = name
        }
        return try await next(request, context)
    }

    private func isOwn(_ authority: String) -> Bool {
        guard let names = self.names, !Self.isLoopback(authority) else { return true }
        return Self.host(of: authority).map { names.contains($0.lowercased()) } ?? false
    }

    static func isLoopback(_ authority: String) -> Bool {
        guard let host = Self.host(of: authority) else { return false }
        return ["localhost", "127.0.0.1", "::1"].contains(host.lowercased())
    }

    private static func host(of authority: String) -> Substring? {
        guard authority.hasPrefix("[") else { return authority.prefix { $0 != ":" } }
        guard let end = authority.firstIndex(of: "]") else { return nil }
        return authority[authority.index(after: authority.startIndex)..<end]
    }

    private static func bearer(_ header: String) -> String? {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }
}
