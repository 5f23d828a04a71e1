import CortexKubernetes
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// An API server that answers what one of another release has answered, by path and query.
struct RecordedServer: Sendable {
    /// What is asked for, such as `/apis/policy`, and what is said; all else is not found.
    var answers: [String: String]

    private static let notFound =
        #"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","message":"not found","code":404}"#

    /// Runs it while `body` does, which gets a client of it.
    func withClient<Result: Sendable>(
        _ body: @escaping @Sendable (KubernetesClient) async throws -> Result
    ) async throws -> Result {
        let router = Router()
        let answers = self.answers
        router.get("**") { request, _ in
            let text = answers[request.uri.path]
            return Response(
                status: text == nil ? .notFound : .ok,
                headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text ?? Self.notFound))
            )
        }
        let (ports, tell) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        var logger = Logger(label: "recorded")
        logger.logLevel = .critical
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { tell.yield($0.localAddress?.port ?? 0) },
            logger: logger
        )
        let quiet = logger
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await application.run()
                return nil
            }
            group.addTask {
                var iterator = ports.makeAsyncIterator()
                let port = await iterator.next() ?? 0
                let client = try KubernetesClient(
                    configuration: KubernetesConfiguration(
                        server: "http://127.0.0.1:\(port)",
                        namespace: "cortex",
                        tokenFile: nil,
                        certificateAuthorityFile: nil
                    ),
                    logger: quiet
                )
                do {
                    let result = try await body(client)
                    await client.shutdown()
                    return result
                } catch {
                    await client.shutdown()
                    throw error
                }
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}
