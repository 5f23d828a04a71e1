import CortexSpec
import HTTPTypes
import Hummingbird

/// All routes of the operator, and the OpenAPI document that tells of them.
struct OperatorRoutes: Sendable {
    let all: [OperatorRoute]

    /// Adds the routes of the two documents to those given.
    init(_ routes: [OperatorRoute]) {
        let schema = Self.route(
            to: ConfigSchema.document,
            at: "/v1/schema.json",
            id: "getConfigSchema",
            "the JSON Schema of cortex.yaml"
        )
        // What the document tells of its own route does not depend on what that route answers.
        let told = routes + [schema, Self.route(to: [:])]
        self.all = routes + [schema, Self.route(to: Self.document(of: told))]
    }

    private static func route(
        to document: JSONValue,
        at path: String = "/v1/openapi.json",
        id: String = "getDocument",
        _ summary: String = "this document"
    ) -> OperatorRoute {
        OperatorRoute(
            method: .get,
            path: path,
            id: id,
            summary: summary,
            answers: [RouteAnswer(status: .ok, summary: summary, content: .document)],
            isOpen: true,
            answer: { _, _ in try Response.json(document) }
        )
    }

    /// What may be asked without a token.
    var openPaths: Set<String> { Set(self.all.filter(\.isOpen).map(\.path)) }

    /// What a path may be asked with; empty where there is no such path.
    func methods(at path: String) -> [HTTPRequest.Method] {
        self.all.filter { $0.matches(path) }.map(\.method)
    }

    /// Whether the parts of an installation may ask for this among themselves.
    func isForMachines(_ request: Request) -> Bool {
        self.all.contains { $0.isForMachines && $0.method == request.method && $0.matches(request.uri.path) }
    }

    func add(to router: Router<OperatorContext>) {
        for route in self.all {
            router.on(route.routerPath, method: route.method) { try await route.answer($0, $1) }
        }
    }

    /// The document as it is served.
    var document: JSONValue { Self.document(of: self.all) }

    private static func document(of routes: [OperatorRoute]) -> JSONValue {
        var paths: [String: [String: JSONValue]] = [:]
        for route in routes { paths[route.path, default: [:]][route.method.rawValue.lowercased()] = route.document }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Cortex operator", "version": "1",
                "summary": "What the command line speaks: projects, deploys, APIs and tokens of one server.",
            ],
            "servers": [["url": "/"]],
            "security": [["token": []]],
            "paths": .object(paths.mapValues { .object($0) }),
            "components": [
                "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
                "schemas": .object(OperatorSchemas.all),
            ],
        ]
    }
}
