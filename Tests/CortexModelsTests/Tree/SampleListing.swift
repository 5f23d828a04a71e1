import CortexModels
import Testing

extension [StoredObject] {
    /// Objects of a few bytes each, in the order of listings; a path that is none fails the test.
    static func listing(_ paths: [String]) -> [StoredObject] {
        paths.compactMap { path in
            let object = try? StoredObject(path: path, size: 3, modified: 1_760_000_000_000)
            if object == nil { Issue.record("\(path) is no path of an object") }
            return object
        }.sorted(by: StoredObject.isOrdered)
    }
}

extension ModelVersion: ExpressibleByIntegerLiteral {
    package init(integerLiteral value: UInt64) {
        guard let version = ModelVersion(folderName: String(value)) else { preconditionFailure("\(value)") }
        self = version
    }
}
