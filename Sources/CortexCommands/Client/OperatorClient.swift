import AsyncHTTPClient
import CortexControlPlane
import Foundation
import NIOCore
import NIOHTTP1

/// The operator of one server, over HTTP.
struct OperatorClient: Sendable {
    /// An answer other than the one that was asked for.
    struct Refusal: Error {
        var status: Int
        var response: ErrorResponse
    }

    /// The one client of the process, which lives as long.
    ///
    /// A refused connection is an answer here, and is not tried again.
    static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    private let baseURL: String
    private let token: String
    /// The way through a cluster's API server; nil where the operator is reached by its own address.
    private let way: ForwardedService?

    /// - Parameter baseURL: Without a trailing slash.
    init(baseURL: String, token: String) {
        self.baseURL = baseURL
        self.token = token
        self.way = nil
    }

    /// The operator of a cluster.
    init(way: ForwardedService, token: String) {
        self.baseURL = "http://127.0.0.1:\(way.port)"
        self.token = token
        self.way = way
    }

    /// The operator of a server of this machine.
    init(port: Int, token: String) {
        self.init(baseURL: "http://127.0.0.1:\(port)", token: token)
    }

    /// The server that answers.
    func info(timeout: TimeAmount = .seconds(5)) async throws -> ServerRecord {
        try await self.json(self.request("/v1/info"), timeout: timeout)
    }

    func apis() async throws -> [APIResponse] {
        try await self.json(self.request("/v1/apis"))
    }

    /// Nil where it is not deployed.
    func api(_ name: String) async throws -> APIResponse? {
        do {
            return try await self.json(self.request("/v1/apis/\(Self.escaped(name))"))
        } catch let refusal as Refusal where refusal.response.code == "API_NOT_FOUND" {
            return nil
        }
    }

    /// Events after the one with the number `id`, oldest first.
    func events(of name: String, after id: Int64) async throws -> [EventRecord] {
        try await self.json(self.request("/v1/apis/\(Self.escaped(name))/events?after=\(id)"))
    }

    /// The deploys of an API, newest first.
    func deployments(of name: String) async throws -> [DeploymentSummary] {
        try await self.json(self.request("/v1/apis/\(Self.escaped(name))/deployments"))
    }

    /// Replaces the workers of an API by new ones.
    func refresh(_ name: String, force: Bool) async throws -> [String: String] {
        try await self.json(self.request("/v1/apis/\(Self.escaped(name))/refresh?force=\(force)", method: .POST))
    }

    /// Goes back to an earlier deployment; nil for the one before.
    func rollback(_ name: String, to target: String?) async throws -> [String: String] {
        let query = target.map { "?to=\(Self.escaped($0))" } ?? ""
        return try await self.json(self.request("/v1/apis/\(Self.escaped(name))/rollback\(query)", method: .POST))
    }

    func delete(_ name: String) async throws -> [String: String] {
        try await self.json(self.request("/v1/apis/\(Self.escaped(name))", method: .DELETE))
    }

    func hasProject(_ hash: ProjectHash) async throws -> Bool {
        let response = try await self.execute(
            self.request("/v1/projects/\(hash)", method: .HEAD),
            deadline: .now() + .seconds(60)
        )
        return response.status == .ok
    }

    /// Where projects are kept, and whether that works: it is tried, and what that needs is made first.
    func projectStore() async throws -> ProjectStoreReport {
        try await self.json(self.request("/v1/projects"), timeout: .minutes(5))
    }

    func store(_ hash: ProjectHash, archive: ProjectArchive) async throws {
        var request = self.request("/v1/projects/\(hash)", method: .PUT)
        request.headers.add(name: "Content-Type", value: "application/x-tar")
        request.body = .stream(archive, length: .known(archive.byteCount))
        _ = try await self.body(request, timeout: .minutes(30))
    }

    func deploy(_ body: DeployBody) async throws -> [DeployResponse] {
        var request = self.request("/v1/deploy", method: .POST)
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try StateJSON.encoder().encode(body)))
        return try await self.json(request, timeout: .minutes(5))
    }

    /// The log's bytes as they come; ends with the log, or never where it is followed.
    func logs(of name: String, last: Int, follow: Bool, asJSON: Bool = false) async throws -> HTTPClientResponse.Body {
        let path = "/v1/apis/\(Self.escaped(name))/logs?last=\(last)&follow=\(follow)&json=\(asJSON)"
        let response = try await self.execute(
            self.request(path),
            deadline: follow ? .distantFuture : .now() + .minutes(10)
        )
        guard response.status == .ok else { throw try await Self.refusal(response) }
        return response.body
    }

    /// A request that carries the token.
    func request(_ path: String, method: HTTPMethod = .GET) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: self.baseURL + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(self.token)")
        return request
    }

    /// The answer's value; throws a ``Refusal`` for any status but 2xx.
    func json<Value: Decodable>(
        _ request: HTTPClientRequest,
        timeout: TimeAmount = .seconds(60)
    ) async throws -> Value {
        let data = try await self.body(request, timeout: timeout)
        return try StateJSON.decoder().decode(Value.self, from: Data(data.readableBytesView))
    }

    /// The answer's bytes; throws a ``Refusal`` for any status but 2xx.
    func body(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> ByteBuffer {
        let response = try await self.execute(request, deadline: .now() + timeout)
        guard (200..<300).contains(response.status.code) else { throw try await Self.refusal(response) }
        return try await response.body.collect(upTo: 64 << 20)
    }

    /// Sends a request; where the way through a cluster is lost, opens it again and sends it anew, if that can do no harm.
    private func execute(_ request: HTTPClientRequest, deadline: NIODeadline) async throws -> HTTPClientResponse {
        guard let way = self.way else { return try await Self.http.execute(request, deadline: deadline) }
        do {
            return try await Self.http.execute(request, deadline: deadline)
        } catch let error where way.mayRepeat(request.method, after: error) {
            return try await way.renewing(after: error) {
                // Each attempt has its own time: that of the first may be over.
                try await Self.http.execute(request, deadline: max(deadline, .now() + .seconds(10)))
            }
        }
    }

    private static func refusal(_ response: HTTPClientResponse) async throws -> Refusal {
        let body = try await response.body.collect(upTo: 8 << 20)
        let known = try? StateJSON.decoder().decode(ErrorResponse.self, from: Data(body.readableBytesView))
        return Refusal(
            status: Int(response.status.code),
            response: known
                ?? ErrorResponse(
                    error: "the server answered \(response.status.code) without a reason",
                    code: "UNKNOWN",
                    requestID: nil
                )
        )
    }

    /// A name as one segment of a path, whatever the user typed.
    static func escaped(_ name: String) -> String {
        name.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~")))
            ?? ""
    }
}

extension OperatorClient.Refusal: CustomStringConvertible {
    var description: String { self.response.error }
}

extension OperatorClient.Refusal {
    /// The refusal as the command line tells it.
    var failure: CommandFailure {
        CommandFailure(self.response.error, hint: self.response.hint)
    }
}
