import HTTPTypes
import Hummingbird

/// Refuses whatever would change something once the server has been told to end: nothing would come of it.
struct ShutdownMiddleware: RouterMiddleware {
    typealias Context = OperatorContext

    let record: @Sendable () async -> ServerRecord?

    @concurrent
    func handle(
        _ request: Request,
        context: OperatorContext,
        next: @concurrent (Request, OperatorContext) async throws -> Response
    ) async throws -> Response {
        if OperatorRoute.isChange(request.method), await self.record()?.isShuttingDown == true {
            throw OperatorError.shuttingDown
        }
        return try await next(request, context)
    }
}
