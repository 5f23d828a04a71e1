import AsyncHTTPClient
import CortexControlPlane
import CortexSpec
import Foundation
import Logging
import NIOCore
import NIOHTTP1

/// An operator on a port of its own, with all that it stands on, for the time of one closure.
struct RunningOperator: Sendable {
    let home: CortexHome
    let provider: FakeProvider
    let reconciler: Reconciler
    let tokens: TokenStore
    let port: Int
    let token: String

    struct Answer {
        var status: Int
        var headers: HTTPHeaders
        var body: String

        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try StateJSON.decoder().decode(type, from: Data(self.body.utf8))
        }
    }

    static func run(
        readiness: OperatorApplication.Readiness = .init(isReady: true, summary: "ready"),
        archives: FakeArchives? = nil,
        _ operation: @Sendable (RunningOperator) async throws -> Void
    ) async throws {
        let folder = try TemporaryHome()
        let store = try StateStore(home: folder.home)
        let tokens = TokenStore(store: store)
        let token = try await tokens.ensureLocalToken(home: folder.home)
        let provider = FakeProvider()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let reconciler = Reconciler(store: store, provider: provider, logger: logger)
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        let home = folder.home
        let application = OperatorApplication(
            address: .loopback(port: 0),
            tokens: tokens,
            projects: try ProjectStore(folder: home.projects, storage: archives),
            reconciler: reconciler,
            record: { ServerRecord(home: home, version: "1.2.3", host: "127.0.0.1", port: 8888, operatorPort: 1) },
            metrics: { ByteBuffer(string: "cortex_build_info 1\n") },
            readiness: { id in
                var readiness = readiness
                readiness.summary += " \(id)"
                return readiness
            },
            onBound: { bound.yield($0) },
            logger: logger
        )
        try await withThrowingTaskGroup { group in
            group.addTask {
                do {
                    try await application.run()
                } catch  where Task.isCancelled {
                    // The end of the test cuts connections off.
                }
            }
            group.addTask { try await reconciler.run() }
            var iterator = ports.makeAsyncIterator()
            guard let port = await iterator.next() else { throw CancellationError() }
            try await operation(
                RunningOperator(
                    home: home,
                    provider: provider,
                    reconciler: reconciler,
                    tokens: tokens,
                    port: port,
                    token: token
                )
            )
            group.cancelAll()
        }
        withExtendedLifetime(folder) {}
    }

    func request(_ method: HTTPMethod, _ path: String, authorized: Bool = true) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(self.port)\(path)")
        request.method = method
        // The next test's server may get this port, and must not meet a connection to this one in the client's pool.
        request.headers.add(name: "Connection", value: "close")
        if authorized { request.headers.add(name: "Authorization", value: "Bearer \(self.token)") }
        return request
    }

    func send(_ request: HTTPClientRequest) async throws -> Answer {
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let body = try await response.body.collect(upTo: 1 << 20)
        return Answer(status: Int(response.status.code), headers: response.headers, body: String(buffer: body))
    }

    func send(_ method: HTTPMethod, _ path: String, json: String? = nil) async throws -> Answer {
        var request = self.request(method, path)
        if let json {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: json))
        }
        return try await self.send(request)
    }

    /// Stores a project with a `predictor.py` and returns its hash.
    func upload() async throws -> ProjectHash {
        let (request, hash) = try await self.uploadRequest()
        let answer = try await self.send(request)
        guard answer.status == 204 else { throw ProjectError.malformedArchive(answer.body) }
        return hash
    }

    /// What stores that project.
    func uploadRequest() async throws -> (request: HTTPClientRequest, hash: ProjectHash) {
        let folder = "\(self.home.spool)/\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("class PythonPredictor: pass\n".utf8).write(to: URL(filePath: "\(folder)/predictor.py"))
        let files = try ProjectPacker(root: folder, configFile: "cortex.yaml", home: nil).files()
        let hash = try await ProjectHash.of(files)
        let archive = ProjectArchive(files)
        var request = self.request(.PUT, "/v1/projects/\(hash)")
        request.body = .stream(archive, length: .known(archive.byteCount))
        return (request, hash)
    }

    func deploy(
        _ config: String,
        project: String,
        from directory: String? = nil,
        force: Bool = false
    ) async throws -> Answer {
        let body = DeployBody(
            config: config,
            configFile: "cortex.yaml",
            project: project,
            projectDirectory: directory,
            force: force
        )
        let json = String(decoding: try StateJSON.encoder().encode(body), as: UTF8.self)
        return try await self.send(.POST, "/v1/deploy", json: json)
    }

    static let iris = """
        - name: iris
          kind: RealtimeAPI
          predictor:
            type: python
            path: predictor.py
        """
}
