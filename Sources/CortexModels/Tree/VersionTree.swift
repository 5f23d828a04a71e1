internal import Crypto

/// The files of one version of a model, as listed.
package struct VersionTree: Hashable, Sendable {
    /// `3/`; empty for a model without versions.
    package var prefix: String
    /// In the order of listings; their paths begin with ``prefix``.
    package var objects: [StoredObject]

    package init(prefix: String, objects: [StoredObject]) {
        self.prefix = prefix
        self.objects = objects
    }

    /// Bytes of all files.
    package var size: Int64 { self.objects.reduce(0) { $0 + $1.size } }

    /// When the newest file was written, in Unix milliseconds.
    package var modified: Int64 { self.objects.lazy.map(\.modified).max() ?? 0 }

    /// A fingerprint of the content, 64 hex digits: versions of the same generation have the same bytes.
    ///
    /// - Parameter sourceKey: ``ModelLocation/key`` of the source, and the model's name in it where it holds several.
    package func generation(sourceKey: String) -> String {
        var hash = SHA256()
        hash.update(field: sourceKey)
        hash.update(field: self.prefix)
        for object in self.objects {
            hash.update(field: String(Substring(object.path.utf8.dropFirst(self.prefix.utf8.count))))
            hash.update(field: String(object.size))
            hash.update(field: object.tag ?? "modified \(object.modified)")
        }
        return hash.finalize().hexadecimal
    }
}
