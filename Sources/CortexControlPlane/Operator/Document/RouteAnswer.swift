import CortexSpec
import HTTPTypes

/// One answer that a route may give, as the document tells it.
struct RouteAnswer: Sendable {
    enum Content: Sendable {
        case none
        /// A schema of ``OperatorSchemas`` by its name, perhaps as the items of a list.
        case json(String)
        case list(String)
        /// Any JSON object.
        case document
        case text
        /// A project as a tar archive.
        case archive
    }

    let status: HTTPResponse.Status
    let summary: String
    let content: Content
    var headers: [String] = []

    /// The flat JSON of an error.
    static func refusal(_ status: HTTPResponse.Status, _ summary: String, headers: [String] = []) -> RouteAnswer {
        RouteAnswer(status: status, summary: summary, content: .json("Error"), headers: headers)
    }

    /// What every route that changes something may answer.
    static let shuttingDown = Self.refusal(
        .serviceUnavailable,
        "the server is shutting down, or still starting",
        headers: ["Retry-After"]
    )

    /// What every route that changes something may answer, too.
    static let diskFull = Self.refusal(.insufficientStorage, "the disk of the server is full, and nothing was changed")

    /// What any route may answer beside its own answers.
    static func common(isOpen: Bool) -> [RouteAnswer] {
        var answers = [
            Self.refusal(.misdirectedRequest, "the request was sent to a name that is not loopback's"),
            Self.refusal(.internalServerError, "the server could not do this; its log says why"),
        ]
        if !isOpen {
            answers.append(.refusal(.unauthorized, "no token in force came with it", headers: ["WWW-Authenticate"]))
        }
        return answers
    }

    var document: JSONValue {
        var document: [String: JSONValue] = ["description": .string(self.summary)]
        switch self.content {
        case .none: break
        case .json(let name): document["content"] = ["application/json": ["schema": Self.reference(name)]]
        case .list(let name):
            document["content"] = ["application/json": ["schema": ["type": "array", "items": Self.reference(name)]]]
        case .document: document["content"] = ["application/json": ["schema": ["type": "object"]]]
        case .archive: document["content"] = ["application/x-tar": [:]]
        case .text: document["content"] = ["text/plain": ["schema": ["type": "string"]]]
        }
        var headers: [String: JSONValue] = ["X-Request-ID": ["schema": ["type": "string"], "required": true]]
        for header in self.headers { headers[header] = ["schema": ["type": "string"], "required": true] }
        document["headers"] = .object(headers)
        return .object(document)
    }

    static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }
}
