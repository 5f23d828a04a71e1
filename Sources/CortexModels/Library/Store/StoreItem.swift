/// One version of a model as the store brings it to disk.
struct StoreItem: Sendable {
    /// Names its folder; see ``VersionTree/generation(sourceKey:)``.
    let generation: String
    let location: ModelLocation
    /// Paths from the location's root.
    let objects: [StoredObject]
    /// What all their paths begin with, and files on disk do not.
    let prefix: String
    let version: ModelVersion
    /// What it is, for messages and for whoever looks into the store: `s3://models/iris/, version 3`.
    let shown: String
}
