import CortexControlPlane
import CortexModels
import CortexSpec

/// The `model_metadata` of an API's summary, in the shapes that the original had, with more in them.
enum ModelMetadata {
    /// - Parameter byVersion: Whether each version has an entry of its own (`iris-3`), as TensorFlow models have that are
    ///   not cached; else there is one for each model.
    static func json(of models: [ModelObservation], byVersion: Bool) -> JSONValue {
        var entries: [String: JSONValue] = [:]
        if byVersion {
            for model in models {
                var entry = self.details(of: model)
                entry["name"] = .string(model.name)
                entry["version"] = model.version.map { .string($0) } ?? .null
                entry["latest"] = .bool(model.isLatest)
                entry["timestamp"] = model.modified.map { .int($0) } ?? .null
                entries[[model.name, model.version].compactMap(\.self).joined(separator: "-")] = .object(entry)
            }
            return .object(entries)
        }
        for (name, models) in Dictionary(grouping: models, by: \.name) {
            // What cannot answer is told with its error, and is not among the versions.
            let usable = models.filter { $0.version != nil && ($0.error == nil || $0.loadedBy > 0) }
            let details = models.compactMap { model in
                model.version.map { ($0, JSONValue.object(self.details(of: model))) }
            }
            var entry: [String: JSONValue] = [
                "versions": .array(usable.compactMap(\.version).map { .string($0) }),
                "timestamps": .array(usable.map { .int($0.modified ?? 0) }),
                "latest": models.first(where: \.isLatest)?.version.map { .string($0) } ?? .null,
                "details": .object(Dictionary(details) { first, _ in first }),
            ]
            if let error = models.first(where: { $0.version == nil })?.error { entry["error"] = .string(error) }
            entries[name] = .object(entry)
        }
        return .object(entries)
    }

    private static func details(of model: ModelObservation) -> [String: JSONValue] {
        var details: [String: JSONValue] = [
            "on_disk": .bool(model.isOnDisk), "loaded_by": .int(Int64(model.loadedBy)),
        ]
        if let size = model.size { details["size"] = .int(size) }
        if let seconds = model.loadSeconds { details["load_seconds"] = .double(seconds) }
        if let inputs = model.inputs { details["input_signatures"] = .object(inputs.mapValues(\.json)) }
        if let outputs = model.outputs { details["output_signatures"] = .object(outputs.mapValues(\.json)) }
        if let key = model.signatureKey { details["signature_key"] = .string(key) }
        if let error = model.error { details["error"] = .string(error) }
        return details
    }
}

extension ModelTensor {
    fileprivate var json: JSONValue { .object(["shape": self.shape, "type": .string(self.type)]) }
}
