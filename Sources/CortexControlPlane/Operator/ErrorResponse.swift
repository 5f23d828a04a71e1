/// The flat JSON of every error that the operator answers.
package struct ErrorResponse: Hashable, Sendable, Codable {
    package var error: String
    package var code: String
    package var requestID: String?
    package var hint: String?
    /// What is wrong with a config file; only with the code `INVALID_CONFIG`.
    package var problems: [ConfigProblem]?

    package init(
        error: String,
        code: String,
        requestID: String?,
        hint: String? = nil,
        problems: [ConfigProblem]? = nil
    ) {
        self.error = error
        self.code = code
        self.requestID = requestID
        self.hint = hint
        self.problems = problems
    }

    private enum CodingKeys: String, CodingKey {
        case error, code, hint, problems
        case requestID = "request_id"
    }
}

/// One thing that is wrong with a config file, or without effect in it.
package struct ConfigProblem: Hashable, Sendable, Codable {
    package var file: String
    package var line: Int
    package var column: Int
    package var api: String?
    package var field: String?
    package var message: String
    package var allowed: String?
    package var hint: String?
    /// Several lines that explain: the tree that a model must be, and what was found.
    package var detail: String?
    /// The line, the caret block and ``detail``, as a terminal shows them, without colours.
    package var rendered: String

    package init(
        file: String,
        line: Int,
        column: Int,
        api: String? = nil,
        field: String? = nil,
        message: String,
        allowed: String? = nil,
        hint: String? = nil,
        detail: String? = nil,
        rendered: String
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.api = api
        self.field = field
        self.message = message
        self.allowed = allowed
        self.hint = hint
        self.detail = detail
        self.rendered = rendered
    }
}
