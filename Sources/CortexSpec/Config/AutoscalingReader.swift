/// Reads the `autoscaling` section.
enum AutoscalingReader {
    static func read(of resource: Section, _ context: ReadingContext) -> AutoscalingSpec {
        guard let section = resource.section("autoscaling", allowsNull: true) else { return AutoscalingSpec() }
        var spec = Self.replicas(section, context)
        spec.maxReplicaConcurrency =
            section.integer("max_replica_concurrency", in: 1...30_000) ?? spec.maxReplicaConcurrency
        Self.readTarget(section, &spec)
        Self.readTimes(section, &spec)
        Self.readFactors(section, &spec)
        section.finish()
        let idle = section.keys.filter { $0 != "max_replica_concurrency" && section.isKnown($0) }
        if !idle.isEmpty, context.isPending(.severalReplicas) {
            let verb = idle.count == 1 ? "has" : "have"
            resource.warn(
                "autoscaling",
                "\(idle.joined(separator: ", ")) \(verb) no effect yet: each API runs one replica"
            )
        }
        return spec
    }

    private static func replicas(_ section: Section, _ context: ReadingContext) -> AutoscalingSpec {
        let least = section.integer("min_replicas", in: 0...Int.max)
        let most = section.integer("max_replicas", in: 1...Int.max)
        let first = section.integer("init_replicas", in: 0...Int.max)
        if least == 0 { context.require(.scaleToZero, "min_replicas", of: section, value: "0") }
        if let least, least > 1 {
            context.require(.severalReplicas, "min_replicas", of: section, value: "more than one replica")
        }
        if let first, first > 1, least ?? 1 <= 1 {
            context.require(.severalReplicas, "init_replicas", of: section, value: "more than one replica")
        }
        let bounds = (least ?? 1, most ?? 100)
        if bounds.0 > bounds.1 {
            let key = section.has("min_replicas") ? "min_replicas" : "max_replicas"
            section.fail(
                key,
                "min_replicas \(bounds.0) is over max_replicas \(bounds.1)",
                allowed: "min_replicas must be at most max_replicas"
            )
        } else if let first, !(bounds.0...bounds.1).contains(first) {
            section.fail(
                "init_replicas",
                "is \(first)",
                allowed: "it must be from min_replicas \(bounds.0) to max_replicas \(bounds.1)"
            )
        }
        return AutoscalingSpec(minReplicas: bounds.0, maxReplicas: bounds.1, initReplicas: first ?? bounds.0)
    }

    private static func readTarget(_ section: Section, _ spec: inout AutoscalingSpec) {
        spec.targetReplicaConcurrency = section.number("target_replica_concurrency", .over(0))
        guard let target = spec.targetReplicaConcurrency, target > Double(spec.maxReplicaConcurrency) else { return }
        section.fail(
            "target_replica_concurrency",
            "is over max_replica_concurrency \(spec.maxReplicaConcurrency)",
            allowed: "at most max_replica_concurrency"
        )
    }

    private static func readTimes(_ section: Section, _ spec: inout AutoscalingSpec) {
        let window = section.duration("window", allowed: "of at least 10s, a multiple of 10s") { window in
            window >= .seconds(10) && window.components.seconds % 10 == 0 && window.components.attoseconds == 0
        }
        let down = section.duration("downscale_stabilization_period", allowed: "of at least 0s") { $0 >= .zero }
        let up = section.duration("upscale_stabilization_period", allowed: "of at least 0s") { $0 >= .zero }
        spec.window = window ?? spec.window
        spec.downscaleStabilizationPeriod = down ?? spec.downscaleStabilizationPeriod
        spec.upscaleStabilizationPeriod = up ?? spec.upscaleStabilizationPeriod
    }

    private static func readFactors(_ section: Section, _ spec: inout AutoscalingSpec) {
        let downFactor = section.number("max_downscale_factor", .fraction)
        let upFactor = section.number("max_upscale_factor", .over(1))
        let downTolerance = section.number("downscale_tolerance", .fraction)
        let upTolerance = section.number("upscale_tolerance", .atLeast(0))
        spec.maxDownscaleFactor = downFactor ?? spec.maxDownscaleFactor
        spec.maxUpscaleFactor = upFactor ?? spec.maxUpscaleFactor
        spec.downscaleTolerance = downTolerance ?? spec.downscaleTolerance
        spec.upscaleTolerance = upTolerance ?? spec.upscaleTolerance
    }
}
