/// How a source's objects belong together: what must stand still before it is adopted, and what need not wait for what.
enum SourceLayout: String, Hashable, Sendable {
    /// The source is one model (`model_path`, `models.paths`).
    case model
    /// The source's folders are models (`models.dir`).
    case models

    /// More objects than this are refused.
    var limit: Int {
        switch self {
        case .model: ModelCheck.modelLimit
        case .models: ModelCheck.directoryLimit
        }
    }

    /// What may be adopted of a listing, given the one before it.
    ///
    /// A version whose objects are the same in both is taken from `listed` (which may be: it is gone). One that is still
    /// changing stays as it was adopted, however much others have moved. A model that is not made of versions alone is
    /// taken whole or not at all: its files are one upload.
    /// - Parameters:
    ///   - adopted: What serves now.
    ///   - seen: The listing before, old enough that an upload would have moved on since.
    /// - Returns: In the order of listings.
    func settled(adopted: [StoredObject], seen: [StoredObject], listed: [StoredObject]) -> [StoredObject] {
        guard seen != listed else { return listed }
        let adopted = self.models(of: adopted)
        let seen = self.models(of: seen)
        let listed = self.models(of: listed)
        var result: [StoredObject] = []
        for key in Set(adopted.keys).union(seen.keys).union(listed.keys) {
            result += Self.settledModel(adopted: adopted[key] ?? [], seen: seen[key] ?? [], listed: listed[key] ?? [])
        }
        return result.sorted(by: StoredObject.isOrdered)
    }

    private static func settledModel(
        adopted: [StoredObject],
        seen: [StoredObject],
        listed: [StoredObject]
    ) -> [StoredObject] {
        guard seen != listed else { return listed }
        guard let adoptedVersions = Self.versions(of: adopted), let seenVersions = Self.versions(of: seen),
            let listedVersions = Self.versions(of: listed)
        else { return adopted }
        var result: [StoredObject] = []
        for version in Set(adoptedVersions.keys).union(listedVersions.keys) {
            let objects = listedVersions[version]
            result += (objects == seenVersions[version] ? objects : adoptedVersions[version]) ?? []
        }
        return result
    }

    /// The objects of each model; files beside the models of a folder count as models of their own here.
    private func models(of objects: [StoredObject]) -> [Substring: [StoredObject]] {
        switch self {
        case .model: ["": objects]
        case .models: Dictionary(grouping: objects) { Self.firstFolder(of: $0) ?? Substring($0.path) }
        }
    }

    /// The objects of each version; nil where there are others beside them, but for flawed ones, which are no upload.
    private static func versions(of objects: [StoredObject]) -> [Substring: [StoredObject]]? {
        var versions: [Substring: [StoredObject]] = [:]
        for object in objects {
            if let folder = Self.firstFolder(of: object), ModelVersion(folderName: folder.dropLast()) != nil {
                versions[folder, default: []].append(object)
            } else if object.flaw != nil {
                versions[Substring(object.path), default: []].append(object)
            } else {
                return nil
            }
        }
        return versions
    }

    /// With its `/`, so that a folder and a file of one name (which stores allow) are told apart.
    private static func firstFolder(of object: StoredObject) -> Substring? {
        object.path.utf8.firstIndex(of: UInt8(ascii: "/")).map { object.path[...$0] }
    }
}
