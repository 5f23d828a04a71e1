package import CortexSpec

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// What one API asks of the model library; made from its spec.
package struct ModelRequest: Hashable, Sendable {
    package enum Models: Hashable, Sendable {
        /// `model_path`: one model, called ``ModelRequest/singleName``.
        case single(ModelSource)
        /// `models.paths`, in the order of the file; names are unique.
        case named([Named])
        /// `models.dir`: every folder in it is a model.
        case directory(ModelSource)
    }

    /// One entry of `models.paths`.
    package struct Named: Hashable, Sendable {
        package var name: String
        package var source: ModelSource

        package init(name: String, source: ModelSource) {
            self.name = name
            self.source = source
        }
    }

    /// The name of the model of `model_path`.
    package static let singleName = "_cortex_default"

    package var kind: ModelKind
    package var models: Models
    /// Models kept in memory at once; nil keeps all.
    package var cacheSize: Int?
    /// Models kept on disk at once; nil keeps all.
    package var diskCacheSize: Int?
    /// Bytes that models may take in memory.
    package var cacheMemory: Int64?
    /// Paths that name no place, of specs that were not checked by this release; ``models`` lacks them.
    package var problems: [FieldProblem]

    /// Whether models come to memory when they are asked for, and leave it again.
    package var isCached: Bool { self.cacheSize != nil || self.cacheMemory != nil }

    /// Fails where the API names no models.
    ///
    /// - Parameters:
    ///   - folders: Where relative paths are looked for: the first of them in which a path is there wins, else the first.
    ///   - environment: The API's own variables; those of stores overlay the server's.
    ///   - home: What `~` stands for.
    package init?(
        spec: APISpec,
        folders: [String],
        environment: [String: String],
        home: String? = ProcessInfo.processInfo.environment["HOME"]
    ) {
        let predictor = spec.predictor
        var reader = SourceReader(
            folders: folders,
            home: home,
            options: environment.filter { name, _ in
                ["AWS_", "GOOGLE_", "AZURE_"].contains { name.hasPrefix($0) }
            }
        )
        if let path = predictor.modelPath {
            let source = reader.source(path, predictor.signatureKey, "predictor.model_path")
            self.models = source.map(Models.single) ?? .named([])
        } else if let models = predictor.models, let directory = models.directory {
            let source = reader.source(directory, models.signatureKey, "predictor.models.dir")
            self.models = source.map(Models.directory) ?? .named([])
        } else if let models = predictor.models {
            var named: [Named] = []
            for (index, model) in models.paths.enumerated() {
                let key = model.signatureKey ?? models.signatureKey
                let field = "predictor.models.paths[\(index)].model_path"
                guard let source = reader.source(model.modelPath, key, field) else { continue }
                named.append(Named(name: model.name, source: source))
            }
            self.models = .named(named)
        } else {
            return nil
        }
        self.kind = ModelKind(predictor.type, inferentia: spec.compute.inf)
        self.cacheSize = predictor.models?.cacheSize
        self.diskCacheSize = predictor.models?.diskCacheSize
        self.cacheMemory = predictor.models?.cacheMemory?.bytes
        self.problems = reader.problems
    }

    /// Every place with the name of its model; nil for a folder of models.
    package var sources: [(name: String?, source: ModelSource)] {
        switch self.models {
        case .single(let source): [(Self.singleName, source)]
        case .named(let models): models.map { ($0.name, $0.source) }
        case .directory(let source): [(nil, source)]
        }
    }

    private struct SourceReader {
        let folders: [String]
        let home: String?
        let options: [String: String]
        var problems: [FieldProblem] = []

        mutating func source(_ text: String, _ signatureKey: String?, _ field: String) -> ModelSource? {
            do throws(ModelAddress.Flaw) {
                let location = try ModelLocation(text, folders: self.folders, home: self.home, options: self.options)
                return ModelSource(location: location, shown: text, signatureKey: signatureKey, field: field)
            } catch {
                self.problems.append(FieldProblem(field: field, message: error.message, allowed: error.allowed))
                return nil
            }
        }
    }
}
