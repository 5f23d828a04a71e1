/// One file of a project, as found in the user's folder.
package struct ProjectFile: Hashable, Sendable {
    /// Relative to the project, with `/` between its parts.
    package var path: String
    /// Where its bytes are: an absolute path, links resolved.
    package var location: String
    /// Size in bytes when it was found; packing fails where it has changed since.
    package var size: Int64
    /// Whether the owner may execute it; all that is kept of its mode.
    package var isExecutable: Bool

    package init(path: String, location: String, size: Int64, isExecutable: Bool) {
        self.path = path
        self.location = location
        self.size = size
        self.isExecutable = isExecutable
    }
}

/// One file of a project, as an archive tells it.
package struct ProjectEntry: Hashable, Sendable {
    /// Relative to the project, with `/` between its parts.
    package var path: String
    /// Size in bytes.
    package var size: Int64
    package var isExecutable: Bool

    package init(path: String, size: Int64, isExecutable: Bool) {
        self.path = path
        self.size = size
        self.isExecutable = isExecutable
    }
}
