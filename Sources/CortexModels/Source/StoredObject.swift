/// One file or object below the root of a model source.
package struct StoredObject: Hashable, Sendable {
    /// Relative to the root, `/` between names; such that it can be a file's path below any folder.
    package let path: String
    package var size: Int64
    /// Unix milliseconds.
    package var modified: Int64
    /// What changes with the content where the store has such a thing (an etag).
    package var tag: String?
    /// Why this is never fetched, a sentence that names it; nil for what can be.
    ///
    /// A listing holds what is wrong with a source, so that it harms the model or version that it lies in and no other.
    package let flaw: String?

    /// - Throws: ``StorageError/unsupported(_:)`` where `path` is absolute, or has `.`, `..`, an empty name or a control
    ///   character in it: such an object is never written to disk. Markers of folders (keys that end in `/`) are no
    ///   objects; who lists leaves them out.
    package init(path: String, size: Int64, modified: Int64, tag: String? = nil) throws(StorageError) {
        if let flaw = Self.flaw(of: path) {
            throw .unsupported("the object \(path.escaped) cannot be a file: \(flaw); rename or remove it")
        }
        self.path = path
        self.size = size
        self.modified = modified
        self.tag = tag
        self.flaw = nil
    }

    /// What stands at a path and is no object: a link that leads out of the source, a name that no file may have.
    ///
    /// - Parameter path: With ``escaping(_:)`` applied to a name that needs it, and nothing below that.
    /// - Throws: ``StorageError/unsupported(_:)`` as for other objects.
    package init(path: String, flaw: String) throws(StorageError) {
        self = StoredObject(unchecked: try StoredObject(path: path, size: 0, modified: 0).path, flaw: flaw)
    }

    private init(unchecked path: String, flaw: String) {
        self.path = path
        self.size = 0
        self.modified = 0
        self.tag = nil
        self.flaw = flaw
    }

    private init(unchecked path: String, of object: StoredObject) {
        self.path = path
        self.size = object.size
        self.modified = object.modified
        self.tag = object.tag
        self.flaw = object.flaw
    }

    /// The same object as seen from a folder: its path without the folder's, `count` bytes with the `/`.
    func relative(dropping count: Int) -> StoredObject {
        // What is left of a checked path after a `/` needs no second check.
        StoredObject(unchecked: String(Substring(self.path.utf8.dropFirst(count))), of: self)
    }

    /// The order of listings: by the bytes of the paths.
    package static func isOrdered(_ first: StoredObject, _ second: StoredObject) -> Bool {
        // An object may have the path that is shown for a flawed one, which then comes second.
        first.flaw == nil && second.flaw != nil
            ? !second.path.utf8.lexicographicallyPrecedes(first.path.utf8)
            : first.path.utf8.lexicographicallyPrecedes(second.path.utf8)
    }

    /// Whether a file or folder of this name is no part of a model: names that begin with `.` belong to editors, file
    /// managers and copies under way (`.DS_Store`, `.ipynb_checkpoints`, what rsync is still writing).
    ///
    /// The exceptions are the metadata of zarr arrays, which checkpoints of JAX hold under such names, and `...`, which hides
    /// nothing.
    package static func isHidden(_ name: some StringProtocol) -> Bool {
        let shown = [".zarray", ".zattrs", ".zgroup", ".zmetadata", "..."]
        return name.utf8.first == UInt8(ascii: ".") && !shown.contains(String(name))
    }

    /// Whether a name in the path is hidden.
    package var isHidden: Bool { self.path.split(separator: "/").contains { Self.isHidden($0) } }

    /// Why no file can have this path; nil where one can.
    static func flaw(of path: String) -> String? {
        if path.isEmpty { return "its name is empty" }
        if path.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "its name has a control character in it"
        }
        if path.utf8.first == UInt8(ascii: "/") { return "its name begins with /" }
        let names = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if names.contains(where: \.isEmpty) { return "its name has an empty part" }
        if names.contains(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }) {
            return "its name has . or .. as a part"
        }
        if names.contains(where: { $0.count > 255 }) { return "a part of its name is longer than 255 bytes" }
        return nil
    }
}

extension StoredObject: Codable {
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let path = try fields.decode(String.self, forKey: .path)
        if let flaw = try fields.decodeIfPresent(String.self, forKey: .flaw) {
            try self.init(path: path, flaw: flaw)
            return
        }
        try self.init(
            path: path,
            size: try fields.decode(Int64.self, forKey: .size),
            modified: try fields.decode(Int64.self, forKey: .modified),
            tag: try fields.decodeIfPresent(String.self, forKey: .tag)
        )
    }

    private enum CodingKeys: String, CodingKey {
        case path, size, modified, tag, flaw
    }
}
