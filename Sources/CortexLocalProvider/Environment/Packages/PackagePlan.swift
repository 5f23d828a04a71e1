import CortexSpec

/// What is to be installed besides what the project's own files ask for.
struct PackagePlan: Hashable, Sendable {
    /// For the predictor's type and what the project imports; sorted, as their order means nothing.
    var requirements: [String] = []
    /// Lines for uv's `--override`, such as one that keeps a second TensorFlow out.
    var overrides: [String] = []
    /// Whether a build of torch for CPUs is to be looked for.
    var isTorchWanted = false
}

extension PackagePlan {
    /// What the plan is made from.
    struct Inputs: Sendable {
        var type = PredictorType.python
        var imports = ProjectImports()
        /// The packages that the project asks for itself: nothing is added to what it says of them.
        var own: Set<String> = []
        /// Names of packages that workers were found to miss.
        var additions: [String] = []
        /// The environment of the API's workers.
        var variables: [String: String] = [:]
        var target: PackageTarget
    }

    /// The variable that names a TensorFlow Serving server (`host:port`), by which TensorFlow itself is not needed.
    static let servingVariable = "TENSORFLOW_SERVING_ADDRESS"

    init(_ inputs: Inputs) {
        let wanted = Self.wanted(inputs)
        self.requirements = Set(wanted.compactMap { $0.requirement(on: inputs.target) }).sorted()
        let isLinux = inputs.target.isLinuxOnX86 && !inputs.target.hasGPU
        self.isTorchWanted = isLinux && wanted.contains { $0.name == "torch" }
        self.chooseTensorFlow(own: inputs.own)
    }

    private static func wanted(_ inputs: Inputs) -> [KnownPackage] {
        let additions = inputs.additions.compactMap { KnownPackages.named($0) }
        var waiting = Self.ofType(inputs).compactMap { KnownPackages.named($0) } + inputs.imports.packages + additions
        var found: [String: KnownPackage] = [:]
        while let package = waiting.popLast() {
            guard found[package.name] == nil, !package.isAsked(by: inputs.own) else { continue }
            found[package.name] = package
            waiting += Self.needs(of: package, inputs).compactMap { KnownPackages.named($0) }
        }
        return Array(found.values)
    }

    /// What the client of a predictor's type works with.
    private static func ofType(_ inputs: Inputs) -> [String] {
        switch inputs.type {
        case .python: []
        case .onnx: ["onnxruntime"]
        case .tensorflow where !(inputs.variables[Self.servingVariable] ?? "").isEmpty: ["grpcio", "protobuf", "numpy"]
        case .tensorflow: ["tensorflow"]
        }
    }

    private static func needs(of package: KnownPackage, _ inputs: Inputs) -> [String] {
        // Keras runs on one of three libraries.
        guard package.name == "keras" else { return package.needs }
        switch inputs.variables["KERAS_BACKEND"] {
        case "torch": return ["torch"]
        case "jax", "openvino": return []
        default: return inputs.own.isDisjoint(with: ["jax", "torch"]) ? package.needs : []
        }
    }

    /// Packages built on TensorFlow ask for it by its plain name: the build that is chosen must stay the only one.
    private mutating func chooseTensorFlow(own: Set<String>) {
        let build = "tensorflow-cpu"
        if let place = self.requirements.firstIndex(of: build) {
            // What the user has of its family may ask for a certain release, which it can say of the plain name only.
            let family = own.subtracting(["tensorflow-hub", "tf-keras"])
            guard !family.contains(where: { $0.hasPrefix("tensorflow-") || $0.hasPrefix("tf-") }) else {
                self.requirements[place] = "tensorflow"
                self.requirements.sort()
                return
            }
            self.overrides = [Self.withoutPlainTensorFlow]
        } else if let tensorFlow = KnownPackages.named("tensorflow"), !own.contains("tensorflow"),
            !own.isDisjoint(with: tensorFlow.builds)
        {
            self.overrides = [Self.withoutPlainTensorFlow]
        }
    }

    /// A requirement that is never true takes the place of what packages say.
    private static let withoutPlainTensorFlow = "tensorflow ; python_version < '0'"
}
