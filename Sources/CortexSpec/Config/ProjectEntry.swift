/// What a project holds at a relative path (`predictor.py`, `src`), as the packer sees it.
package enum ProjectEntry: Hashable, Sendable {
    /// A file that is packaged.
    case file
    /// A folder with at least one packaged file somewhere in it.
    case folder
    /// There, and left out: hidden, byte code, or named by `.cortexignore`.
    case excluded
    case missing
}
