/// The `networking` section: where an API answers, and the bounds of a request.
package struct NetworkingSpec: Hashable, Sendable, Codable {
    /// Begins with `/`, has no trailing one; `/<name>` by default.
    package var endpoint: String

    package init(endpoint: String) {
        self.endpoint = endpoint
    }
}
