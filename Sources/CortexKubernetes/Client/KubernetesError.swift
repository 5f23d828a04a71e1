import CortexSpec

/// What an API server answered, where it is not what was asked for.
package struct KubernetesError: Error, Hashable, CustomStringConvertible {
    /// Of HTTP.
    package var status: Int
    /// `NotFound`, `Conflict`, `Forbidden`: the server's own word.
    package var reason: String
    package var message: String
    /// What was asked: `get deployments api-iris`.
    package var request: String

    package init(status: Int, reason: String, message: String, request: String) {
        self.status = status
        self.reason = reason
        self.message = message
        self.request = request
    }

    /// The `Status` object of a failed request, or whatever else came.
    init(status: Int, body: JSONValue?, request: String) {
        self.init(
            status: status,
            reason: body?["reason"]?.string ?? "",
            message: body?["message"]?.string ?? "the API server answered \(status)",
            request: request
        )
    }

    package var isNotFound: Bool { self.status == 404 }
    package var isConflict: Bool { self.status == 409 }
    /// What was listed is too old to be watched from.
    var isGone: Bool { self.status == 410 }
    /// Whether the same request may succeed later.
    package var isPassing: Bool { self.status == 429 || self.status >= 500 }

    package var description: String { "\(self.request): \(self.message)" }
}
