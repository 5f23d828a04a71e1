/// Why a project cannot be packed, stored or unpacked.
package enum ProjectError: Error, Hashable, Sendable {
    /// The folder is the user's home folder or the root of the file system.
    case refusedFolder(String)
    /// A link whose target lies outside of the project.
    case linkLeavesProject(path: String, target: String)
    /// A link to nothing, or in a circle.
    case brokenLink(path: String)
    /// A link to a folder.
    case linkedFolder(path: String, target: String)
    /// A socket, pipe or device.
    case notAFile(path: String)
    /// A name that is not UTF-8; shown with `?` for what is not.
    case unreadableName(path: String)
    /// Two names that some file systems hold to be one.
    case ambiguousName(path: String)
    case fileTooLarge(path: String, size: Int64, limit: Int64)
    /// `path` is the file that went over the limit.
    case projectTooLarge(path: String, limit: Int64)
    case tooManyFiles(limit: Int)
    /// A file changed between being listed and being read.
    case changed(path: String)
    /// An archive that breaks the rules of its format or of projects.
    case malformedArchive(String)
    /// The content is not what its hash says.
    case hashMismatch(expected: ProjectHash, actual: ProjectHash)
    case notStored(ProjectHash)
    /// The place in which projects are kept cannot be used; the text says why, and what to do.
    case storage(String)
    /// There is no room for what was to be kept at `path`; `reason` is the operating system's text.
    case diskFull(operation: String, path: String, reason: String)
    /// The operating system refused; `reason` is its text.
    case system(operation: String, path: String, reason: String)
}

extension ProjectError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refusedFolder(let folder):
            "\(folder) cannot be a project: all of it would be packed; move the config file to a folder of its own"
        case .linkLeavesProject(let path, let target):
            "\(path): the link leads out of the project, to \(target); copy the file into the project, "
                + "or name the link in .cortexignore"
        case .brokenLink(let path):
            "\(path): the link leads nowhere; remove it, or name it in .cortexignore"
        case .linkedFolder(let path, let target):
            "\(path): links to folders are not followed (this one leads to \(target)); copy the folder into the "
                + "project, or name the link in .cortexignore"
        case .notAFile(let path):
            "\(path): is neither a file nor a folder; remove it, or name it in .cortexignore"
        case .unreadableName(let path):
            "\(path): the name is not valid UTF-8; rename the file"
        case .ambiguousName(let path):
            "\(path): another name differs from it only in how its letters are encoded; rename one"
        case .fileTooLarge(let path, let size, let limit):
            "\(path): has \(Self.mebibytes(size)) MiB, a file of a project may have at most "
                + "\(Self.mebibytes(limit)) MiB; name it in .cortexignore, or download it in the predictor"
        case .projectTooLarge(let path, let limit):
            "\(path): with this file the project exceeds \(Self.mebibytes(limit)) MiB; name what is not needed "
                + "in .cortexignore"
        case .tooManyFiles(let limit):
            "the project has more than \(limit) files; name what is not needed in .cortexignore"
        case .changed(let path):
            "\(path): changed while it was packed; try again"
        case .malformedArchive(let what):
            "the project archive is malformed: \(what)"
        case .hashMismatch(let expected, let actual):
            "the project's content has the hash \(actual), not \(expected); it changed while it was packed, or on "
                + "its way; try again"
        case .notStored(let hash):
            "no project \(hash) is stored"
        case .storage(let reason):
            reason
        case .system(let operation, let path, let reason), .diskFull(let operation, let path, let reason):
            "cannot \(operation) \(path): \(reason)"
        }
    }

    /// Whole MiB, rounded up, so that nothing over a limit is shown as equal to it.
    private static func mebibytes(_ bytes: Int64) -> Int64 {
        bytes / (1 << 20) + (bytes % (1 << 20) == 0 ? 0 : 1)
    }
}
