import CortexSpec
import HTTPTypes
import Hummingbird

/// One operation of the operator: what answers it, and what the document tells of it.
///
/// The router and the document are made from the same routes, so that neither can have one that the other lacks.
struct OperatorRoute: Sendable {
    /// What the request must carry.
    enum Body: Sendable {
        /// JSON by a schema of ``OperatorSchemas``.
        case json(String)
        /// A project as a tar archive.
        case archive
    }

    let method: HTTPRequest.Method
    /// As OpenAPI writes it: `/v1/apis/{name}`.
    let path: String
    /// Its name in the document.
    let id: String
    let summary: String
    var parameters: [RouteParameter] = []
    var body: Body?
    let answers: [RouteAnswer]
    /// Whether it is answered without a token.
    var isOpen = false
    /// Whether the parts of an installation may ask for it among themselves.
    var isForMachines = false
    let answer: @Sendable (Request, OperatorContext) async throws -> Response

    var allAnswers: [RouteAnswer] {
        let refusals = Self.isChange(self.method) ? [RouteAnswer.shuttingDown, RouteAnswer.diskFull] : []
        return self.answers + refusals + RouteAnswer.common(isOpen: self.isOpen)
    }

    /// Whether requests of this method change something.
    static func isChange(_ method: HTTPRequest.Method) -> Bool {
        ![.get, .head, .options].contains(method)
    }

    /// Whether a request's path is of this route.
    func matches(_ path: String) -> Bool {
        let (mine, theirs) = (Self.segments(self.path), Self.segments(path))
        return mine.count == theirs.count && zip(mine, theirs).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }

    private static func segments(_ path: String) -> [Substring] { path.split(separator: "/") }

    /// The path as the router writes it: `v1/apis/:name`.
    var routerPath: RouterPath {
        let segments = Self.segments(self.path).map { $0.hasPrefix("{") ? ":\($0.dropFirst().dropLast())" : String($0) }
        return RouterPath(segments.joined(separator: "/"))
    }

    var document: JSONValue {
        var document: [String: JSONValue] = [
            "operationId": .string(self.id), "summary": .string(self.summary),
            "responses": .object(
                Dictionary(
                    self.allAnswers.map { (String($0.status.code), $0.document) },
                    uniquingKeysWith: { first, _ in first }
                )
            ),
        ]
        if self.isOpen { document["security"] = [] }
        if !self.parameters.isEmpty { document["parameters"] = .array(self.parameters.map(\.document)) }
        switch self.body {
        case .json(let name):
            let content: JSONValue = ["application/json": ["schema": RouteAnswer.reference(name)]]
            document["requestBody"] = ["required": true, "content": content]
        case .archive:
            document["requestBody"] = ["required": true, "content": ["application/octet-stream": [:]]]
        case nil: break
        }
        return .object(document)
    }
}
