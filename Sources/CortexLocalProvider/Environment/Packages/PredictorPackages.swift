import CortexSpec

/// What a predictor of a type needs installed besides the worker, so that its client can do its work.
///
/// Nothing is added where the project asks for the package itself, in whatever build of it.
enum PredictorPackages {
    /// The variable that names a TensorFlow Serving server (`host:port`), by which TensorFlow itself is not needed.
    static let servingVariable = "TENSORFLOW_SERVING_ADDRESS"

    /// - Parameter variables: The environment of the API's workers.
    static func packages(for spec: APISpec, besides own: RequirementFiles, variables: [String: String]) -> [String] {
        switch spec.predictor.type {
        case .python: []
        case .onnx: own.names.contains { $0.hasPrefix("onnxruntime") } ? [] : ["onnxruntime"]
        case .tensorflow where !(variables[self.servingVariable] ?? "").isEmpty:
            ["grpcio", "protobuf", "numpy"].filter { !own.names.contains($0) }
        case .tensorflow: own.names.isDisjoint(with: self.tensorFlows) ? self.tensorFlow(spec.compute) : []
        }
    }

    private static let tensorFlows: Set<String> = [
        "intel-tensorflow", "tensorflow", "tensorflow-cpu", "tensorflow-cpu-aws", "tensorflow-gpu", "tensorflow-intel",
        "tensorflow-macos", "tensorflow-neuron", "tensorflow-neuronx", "tf-nightly", "tf-nightly-cpu",
    ]

    /// The build without GPU support is a third of the size; it exists for one platform only.
    private static func tensorFlow(_ compute: ComputeSpec) -> [String] {
        if compute.gpu > 0 { return ["tensorflow[and-cuda]"] }
        #if os(Linux) && arch(x86_64)
        return ["tensorflow-cpu"]
        #else
        return ["tensorflow"]
        #endif
    }
}
