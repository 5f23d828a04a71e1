/// Why a worker does not get a version of a model; each text is a sentence, without paths of the server's own folders.
package enum ModelError: Error, Hashable, Sendable {
    /// There is no such version any more, or not with this content: a newer catalog is on its way.
    case notFound(String)
    /// It could not be brought to disk.
    case unavailable(String)
    /// The call was cancelled, the worker has ended, or the API has.
    case cancelled
}

extension ModelError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let text), .unavailable(let text): text
        case .cancelled: "the model is not waited for any more"
        }
    }
}

/// Why an API's models cannot be opened: a sentence for each of those that have no version to serve.
package struct ModelOpenError: Error, Hashable, Sendable, CustomStringConvertible {
    package var problems: [String]

    package init(problems: [String]) {
        self.problems = problems
    }

    package var description: String { self.problems.joined(separator: "\n") }
}
