extension ModelKind {
    /// Why a folder is no version of such a model, such that `version 2 …` reads as a sentence; nil where it is one.
    func flaw(of level: TreeLevel) -> String? {
        switch self {
        case .python: nil
        case .tensorflow: Self.savedModelFlaw(level, variables: true)
        case .neuron: Self.savedModelFlaw(level, variables: false)
        case .onnx: Self.onnxFlaw(level)
        }
    }

    private static func savedModelFlaw(_ level: TreeLevel, variables: Bool) -> String? {
        let names = level.fileNames
        guard names.contains("saved_model.pb") else {
            return names.contains("saved_model.pbtxt")
                ? "has saved_model.pbtxt, which is not served, and no saved_model.pb" : "has no saved_model.pb"
        }
        guard variables else { return nil }
        let shards = level.folder("variables").fileNames
        let missing = [
            shards.contains("variables.index") ? nil : "variables/variables.index",
            shards.contains { $0.hasPrefix("variables.data-00000-of") } ? nil : "variables/variables.data-00000-of-…",
        ].compactMap(\.self)
        return missing.isEmpty ? nil : "has no \(missing.joined(separator: " and no "))"
    }

    private static func onnxFlaw(_ level: TreeLevel) -> String? {
        let models = level.fileNames.filter { $0.hasSuffix(".onnx") }
        guard let model = models.first else {
            if let name = level.fileNames.first(where: { $0.lowercased().hasSuffix(".onnx") }) {
                return "has \(name.escaped), whose name must end in .onnx, in small letters"
            }
            if let name = level.folders.keys.first(where: { $0.hasSuffix(".onnx") }) {
                return "has \(name.escaped), which is a folder and not a file"
            }
            return "has no .onnx file"
        }
        if models.count > 1 { return "has \(models.count) .onnx files: \(models.listed)" }
        let others = level.names.filter { $0 != model }
        return others.isEmpty ? nil : "has \(others.listed) beside \(model.escaped), and must hold one .onnx file only"
    }
}
