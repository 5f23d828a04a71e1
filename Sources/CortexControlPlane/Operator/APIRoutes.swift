import CortexSpec
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// `/v1/apis`: what is deployed, its log and its events.
struct APIRoutes: Sendable {
    let reconciler: Reconciler
    let baseURL: @Sendable () async -> String

    func add(to router: Router<OperatorContext>) {
        router.get("v1/apis") { _, _ in
            let baseURL = await self.baseURL()
            return try Response.json(try await self.reconciler.apis().map { APIResponse($0, baseURL: baseURL) })
        }
        router.get("v1/apis/:name") { _, context in
            let state = try await self.state(context)
            return try Response.json(APIResponse(state, baseURL: await self.baseURL()))
        }
        router.delete("v1/apis/:name") { _, context in
            let name = try await self.state(context).wanted.deployment.spec.name
            // Gone in between is gone as well.
            _ = try await self.reconciler.delete(name)
            return try Response.json(["message": "deleting \(name)"])
        }
        router.get("v1/apis/:name/events") { request, context in
            let name = try await self.state(context).wanted.deployment.spec.name
            let after = try Self.number("after", in: request, default: 0, allowed: 0...Int.max)
            let limit = try Self.number("limit", in: request, default: 100, allowed: 1...StateStore.eventLimit)
            return try Response.json(try await self.reconciler.events(of: name, after: Int64(after), limit: limit))
        }
        router.get("v1/apis/:name/logs") { request, context in
            let name = try await self.state(context).wanted.deployment.spec.name
            let last = try Self.number("last", in: request, default: 1000, allowed: 0...1_000_000)
            let follow = try Self.flag("follow", in: request)
            let lines = try await self.reconciler.logLines(of: name, last: last, follow: follow)
            return Self.stream(lines, of: request)
        }
    }

    /// Lines as they come, until they end, the client leaves, or the server shuts down.
    private static func stream(_ lines: AsyncThrowingStream<String, any Error>, of request: Request) -> Response {
        let body = ResponseBody { writer in
            let sink = writer
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                var sink = sink
                for try await line in lines.cancelOnGracefulShutdown() {
                    try await sink.write(ByteBuffer(string: line + "\n"))
                }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: body)
    }

    private func state(_ context: OperatorContext) async throws -> APIState {
        let text = try context.parameters.require("name")
        if let name = APIName(text), let state = try await self.reconciler.api(name) { return state }
        let deployed = try await self.reconciler.apis().map(\.wanted.deployment.spec.name.description)
        throw OperatorError.noSuchAPI(name: String(text.prefix(100)), deployed: deployed)
    }

    private static func number(
        _ name: Substring,
        in request: Request,
        default: Int,
        allowed: ClosedRange<Int>
    ) throws -> Int {
        guard let text = request.uri.queryParameters[name] else { return `default` }
        guard let number = Int(text), allowed.contains(number) else {
            throw OperatorError.malformed(
                "\(name) is \"\(text.prefix(40))\"; allowed are \(allowed.lowerBound) and above"
            )
        }
        return number
    }

    private static func flag(_ name: Substring, in request: Request) throws -> Bool {
        guard let text = request.uri.queryParameters[name] else { return false }
        switch text {
        case "true", "1": return true
        case "false", "0": return false
        default: throw OperatorError.malformed("\(name) is \"\(text.prefix(40))\"; allowed are true and false")
        }
    }
}
