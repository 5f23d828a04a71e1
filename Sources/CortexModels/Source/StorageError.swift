/// What went wrong with a store; each text is a whole sentence for users: which object or place, why, and what to do.
///
/// No text holds a secret.
package enum StorageError: Error, Hashable, Sendable {
    /// The folder, bucket or object is not there.
    case notFound(String)
    case denied(String)
    /// The store did not answer, or with an error of its own.
    case unreachable(String)
    /// An object is not, or no longer, what was listed.
    case changed(String)
    /// Fewer bytes came than the object has.
    case truncated(String)
    case diskFull(String)
    /// More objects than were asked for.
    case tooMany(String)
    /// Something that is never served: a link that has come to lead out of the folder, a path that cannot be a file's.
    case unsupported(String)
    case failed(String)
    case cancelled
}

extension StorageError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let text), .denied(let text), .unreachable(let text), .changed(let text), .truncated(let text),
            .diskFull(let text), .tooMany(let text), .unsupported(let text), .failed(let text):
            text
        case .cancelled: "the transfer was cancelled"
        }
    }

    /// Whether the same request may succeed a little later though nobody does anything about it.
    package var isTransient: Bool {
        switch self {
        case .unreachable, .changed, .truncated, .failed: true
        case .notFound, .denied, .diskFull, .tooMany, .unsupported, .cancelled: false
        }
    }
}
