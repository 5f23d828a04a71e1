/// What is to be installed besides what the project's own files ask for.
struct PackagePlan: Hashable, Sendable {
    /// For the predictor's type and what the project imports; sorted, as their order means nothing.
    var requirements: [String] = []
    /// Lines for uv's `--override`, such as one that keeps a second TensorFlow out.
    var overrides: [String] = []
    /// Whether a build of torch for CPUs is to be looked for.
    var isTorchWanted = false

    /// - Parameters:
    ///   - own: What the project asks for itself, which is never added to.
    ///   - additions: Requirements that workers of this API were found to miss.
    static func make(
        for request: EnvironmentRequest,
        interpreter: PythonInterpreter,
        own: RequirementFiles,
        additions: [String]
    ) async throws -> PackagePlan {
        let packages = PredictorPackages.packages(for: request.spec, besides: own, variables: request.variables)
        return PackagePlan(requirements: Set(packages + additions).sorted())
    }
}
