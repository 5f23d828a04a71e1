/// Reads a `RealtimeAPI`.
struct RealtimeReader {
    private let section: Section
    private let context: ReadingContext

    init(_ section: Section, _ context: ReadingContext) {
        self.section = section
        self.context = context
    }

    /// The spec; nil where what it cannot do without is missing or wrong.
    func read(name: APIName?) -> APISpec? {
        let compute = self.section.section("compute").map { ComputeReader($0, self.context).read() } ?? ComputeSpec()
        let predictor = self.predictor(compute)
        let networking = NetworkingReader.read(of: self.section, name: name, self.context)
        let autoscaling = AutoscalingReader.read(of: self.section, self.context)
        let updateStrategy = UpdateStrategyReader.read(of: self.section)
        let readiness = self.readiness()
        let monitoring = self.monitoring()
        guard let name, let predictor, let networking else { return nil }
        return APISpec(
            name: name,
            predictor: predictor,
            networking: networking,
            compute: compute,
            autoscaling: autoscaling,
            updateStrategy: updateStrategy,
            readiness: readiness,
            monitoring: monitoring
        )
    }

    private func predictor(_ compute: ComputeSpec) -> PredictorSpec? {
        // A section of another version's name says what to do; "missing" beside it would not help.
        if !["handler", "pod", "definition"].contains(where: self.section.has) {
            self.section.require("predictor", allowed: "it must be a map with type and path")
        }
        guard let section = self.section.section("predictor") else { return nil }
        return PredictorReader(section, self.context, compute: compute).read()
    }

    private func readiness() -> ReadinessSpec {
        guard let section = self.section.section("readiness") else { return ReadinessSpec() }
        defer { section.finish() }
        self.context.require(.readinessSample, "sample", of: section)
        guard let text = section.text("sample", allowed: "it must be the path of a file in the project") else {
            return ReadinessSpec()
        }
        return ReadinessSpec(sample: ProjectPath.file(text, "sample", of: section, self.context))
    }

    private func monitoring() -> MonitoringSpec? {
        guard let section = self.section.section("monitoring", allowsNull: true) else { return nil }
        defer { section.finish() }
        self.section.warn("monitoring", "has no effect: predictions are not recorded; count them with metrics_client")
        let key = section.text("key")
        section.require("model_type", allowed: "it must be classification or regression")
        let type: MonitoringSpec.ModelType? = section.choice("model_type")
        return type.map { MonitoringSpec(modelType: $0, key: key) }
    }
}
