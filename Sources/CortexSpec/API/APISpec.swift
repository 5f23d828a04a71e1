/// What a user wants of one API: one entry of `cortex.yaml`, checked, defaults filled in.
///
/// Specs are stored as JSON and read again by later releases: what a key stands for where it is missing is its default.
package struct APISpec: Hashable, Sendable, Codable {
    package var name: APIName
    package var kind: APIKind
    package var predictor: PredictorSpec
    package var networking: NetworkingSpec
    package var compute: ComputeSpec
    package var autoscaling: AutoscalingSpec
    package var updateStrategy: UpdateStrategySpec
    package var readiness: ReadinessSpec
    package var monitoring: MonitoringSpec?

    package init(
        name: APIName,
        kind: APIKind = .realtime,
        predictor: PredictorSpec,
        networking: NetworkingSpec,
        compute: ComputeSpec = ComputeSpec(),
        autoscaling: AutoscalingSpec = AutoscalingSpec(),
        updateStrategy: UpdateStrategySpec = UpdateStrategySpec(),
        readiness: ReadinessSpec = ReadinessSpec(),
        monitoring: MonitoringSpec? = nil
    ) {
        self.name = name
        self.kind = kind
        self.predictor = predictor
        self.networking = networking
        self.compute = compute
        self.autoscaling = autoscaling
        self.updateStrategy = updateStrategy
        self.readiness = readiness
        self.monitoring = monitoring
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let name = try fields.decode(APIName.self, forKey: .name)
        self.init(
            name: name,
            kind: try fields.decode(.kind, or: .realtime),
            predictor: try fields.decode(PredictorSpec.self, forKey: .predictor),
            networking: try fields.decode(.networking, or: NetworkingSpec(endpoint: "/\(name)")),
            compute: try fields.decode(.compute, or: ComputeSpec()),
            autoscaling: try fields.decode(.autoscaling, or: AutoscalingSpec()),
            updateStrategy: try fields.decode(.updateStrategy, or: UpdateStrategySpec()),
            readiness: try fields.decode(.readiness, or: ReadinessSpec()),
            monitoring: try fields.decodeIfPresent(MonitoringSpec.self, forKey: .monitoring)
        )
    }

    private enum CodingKeys: String, CodingKey {
        case name, kind, predictor, networking, compute, autoscaling, readiness, monitoring
        case updateStrategy = "update_strategy"
    }
}

/// The kinds of resource that `cortex.yaml` may hold.
package enum APIKind: String, Hashable, Sendable, Codable, CaseIterable {
    case realtime = "RealtimeAPI"
    case trafficSplitter = "TrafficSplitter"
}
