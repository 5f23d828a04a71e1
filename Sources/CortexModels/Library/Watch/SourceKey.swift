internal import Crypto

/// What one watch is for: APIs with the same key share it.
struct SourceKey: Hashable, Sendable {
    let location: ModelLocation
    let layout: SourceLayout

    /// Names the file that keeps the source's listing.
    ///
    /// Who asks is part of it: nobody is shown what others may list.
    var fileName: String {
        var hash = SHA256()
        hash.update(field: self.location.key)
        hash.update(field: self.layout.rawValue)
        if case .remote(let remote) = self.location {
            for (name, value) in remote.options.sorted(by: { $0.key < $1.key }) {
                hash.update(field: name)
                hash.update(field: value)
            }
        }
        return "\(hash.finalize().hexadecimal).json"
    }
}
