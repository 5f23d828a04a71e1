/// A limit of a request's headers that was passed.
enum HeaderLimit: Hashable, Sendable {
    /// Of their number.
    case count(Int)
    /// Bytes of a name, or of a value.
    case size(Int)
    /// Bytes of the path and all headers together.
    case head(Int)
}
