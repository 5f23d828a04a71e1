import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Gives each request its id, and turns whatever a route throws into the operator's flat JSON.
struct OperatorErrorMiddleware: RouterMiddleware {
    typealias Context = OperatorContext

    let routes: OperatorRoutes

    @concurrent
    func handle(
        _ request: Request,
        context: OperatorContext,
        next: @concurrent (Request, OperatorContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let given = request.headers[.xRequestID], Self.isWellFormed(given) { context.requestID = given }
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as CancellationError {
            throw error
        } catch {
            response = try self.response(to: error, request: request, context: context)
        }
        response.headers[.xRequestID] = context.requestID
        // The answer to HEAD is a head: what follows it would be taken for the next answer.
        if request.method == .head { response.body = ResponseBody() }
        return response
    }

    private func response(to error: any Error, request: Request, context: OperatorContext) throws -> Response {
        if let error = error as? InvalidConfig {
            let body = ErrorResponse(
                error: error.summary,
                code: "INVALID_CONFIG",
                requestID: context.requestID,
                problems: error.problems
            )
            return try .json(body, status: .unprocessableContent)
        }
        guard let known = self.known(error, request: request, limit: context.maxUploadSize) else {
            context.logger.error(
                "operator request failed",
                metadata: ["request_id": "\(context.requestID)", "path": "\(request.uri.path)", "error": "\(error)"]
            )
            let body = ErrorResponse(
                error: "the server could not do this",
                code: "INTERNAL",
                requestID: context.requestID,
                hint: "the reason is in the server's log, with the request_id \(context.requestID)"
            )
            return try .json(body, status: .internalServerError)
        }
        let body = ErrorResponse(
            error: known.message,
            code: known.code,
            requestID: context.requestID,
            hint: known.hint
        )
        var response = try Response.json(body, status: known.status)
        for field in known.headers { response.headers[field.name] = field.value }
        return response
    }

    private func known(_ error: any Error, request: Request, limit: Int) -> OperatorError? {
        switch error {
        case let error as OperatorError: error
        case _ where DiskFull.causes(error): .diskFull
        case is NIOTooManyBytesError: .bodyTooLarge(limit: limit)
        case let error as DecodingError: .malformed("the body is not what this route takes: \(error.sentence)")
        case let error as InUseError: .inUse("\(error)", splitters: error.splitters.map { "\($0)" })
        case let error as KindError: .wrongKind("\(error)", instead: error.commands)
        case ProjectError.storage(let reason): .projectStorage(reason)
        case let error as ProjectError: .projectRefused(error.description)
        case let error as HTTPError where error.status == .notFound: self.unroutable(request)
        case let error as HTTPError where error.status.kind == .clientError:
            .malformed(error.body ?? error.status.reasonPhrase)
        default: nil
        }
    }

    private func unroutable(_ request: Request) -> OperatorError {
        let methods = self.routes.methods(at: request.uri.path)
        let path = String(request.uri.path.prefix(200))
        if methods.isEmpty { return .noSuchRoute("\(request.method) \(path)") }
        return .methodNotAllowed("\(request.method) \(path)", allowed: methods.map(\.rawValue).sorted())
    }

    /// 1 to 128 of `A-Za-z0-9._-`: what may safely stand in a log.
    private static func isWellFormed(_ id: String) -> Bool {
        (1...128).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }
}

extension HTTPField.Name {
    static var xRequestID: Self { HTTPField.Name("X-Request-ID") ?? .via }
}

extension DecodingError {
    /// Where and what, without Swift's own words.
    fileprivate var sentence: String {
        switch self {
        case .keyNotFound(let key, _): "\(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "it is not valid JSON"
                : "\(context.codingPath.map(\.stringValue).joined(separator: ".")) has the wrong type"
        @unknown default: "it cannot be decoded"
        }
    }
}
