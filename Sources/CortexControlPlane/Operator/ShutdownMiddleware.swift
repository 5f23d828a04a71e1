import HTTPTypes
import Hummingbird

/// Refuses whatever would change something once the server has been told to end: nothing would come of it; and everything that
/// asks for APIs before the server knows of them.
struct ShutdownMiddleware: RouterMiddleware {
    typealias Context = OperatorContext

    let record: @Sendable () async -> ServerRecord?
    let openPaths: Set<String>

    @concurrent
    func handle(
        _ request: Request,
        context: OperatorContext,
        next: @concurrent (Request, OperatorContext) async throws -> Response
    ) async throws -> Response {
        if !self.openPaths.contains(request.uri.path) {
            guard let record = await self.record() else { throw OperatorError.starting }
            if OperatorRoute.isChange(request.method), record.isShuttingDown { throw OperatorError.shuttingDown }
        }
        return try await next(request, context)
    }
}
