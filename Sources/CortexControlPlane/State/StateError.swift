/// Why the database cannot be used.
package enum StateError: Error, Equatable, CustomStringConvertible {
    case cannotOpen(path: String, reason: String)
    case newerSchema(path: String)

    package var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "cannot open \(path): \(reason)"
        case .newerSchema(let path):
            "\(path) was written by a newer cortex; use that version, or set CORTEX_HOME to another folder"
        }
    }
}
