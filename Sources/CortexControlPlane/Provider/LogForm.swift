/// How the lines of an API's log are given.
package enum LogForm: Sendable {
    /// For a person: time, request and message; a message may have several lines.
    case text
    /// As they are kept: each one JSON object.
    case json
}
