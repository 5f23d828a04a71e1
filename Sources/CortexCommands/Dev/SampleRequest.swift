import CortexSpec
import Foundation

/// A request to try an API with, which its project holds.
///
/// The first that is there of: `samples/<api>.*`, `sample.*` beside the predictor, `sample.*` beside the config file; of
/// several with one name the `.json`, else the first by its ending.
struct SampleRequest: Hashable, Sendable {
    /// Relative to the project.
    let path: String

    var mediaType: String { MediaType.named(by: self.path) }

    /// Nil where the project has none for the API.
    init?(for api: APISpec, in root: String) {
        let beside = api.predictor.path.split(separator: "/").dropLast().joined(separator: "/")
        let places = [("samples", "\(api.name)"), (beside, "sample"), ("", "sample")]
        for (folder, stem) in places {
            guard let name = Self.name(stem, in: folder.isEmpty ? root : "\(root)/\(folder)") else { continue }
            self.path = folder.isEmpty ? name : "\(folder)/\(name)"
            return
        }
        return nil
    }

    private static func name(_ stem: String, in folder: String) -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let found = names.filter { name in
            guard name.hasPrefix("\(stem)."), !name.hasSuffix(".py") else { return false }
            // `sample.json~` and `sample.json.swp` are an editor's, and `iris.2` may be a folder.
            let ending = name.dropFirst(stem.count + 1)
            guard !ending.isEmpty, ending.allSatisfy({ $0.isLetter || $0.isNumber }) else { return false }
            var isFolder: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
            return isThere && !isFolder.boolValue
        }
        return found.first { $0 == "\(stem).json" } ?? found.min()
    }
}
