import CortexControlPlane
import CortexSpec

/// What a simulation shows: a plot and the changes for people, every decision for programs.
struct SimulationReport: Encodable {
    /// What was simulated.
    struct Settings {
        /// Nil for the defaults.
        var api: String?
        var autoscaling: AutoscalingSpec
        /// Requests that one replica can run at once.
        var slots: Int

        var policy: AutoscalerPolicy { AutoscalerPolicy(self.autoscaling, slots: self.slots) }
    }

    struct Decision: Encodable {
        var seconds: Int
        var load: Double
        var wish: Double
        var recommended: Int
        var limit: Recommendation.Limit?
        var replicas: Int
    }

    var api: String?
    /// The section, with the target that is meant where it names none.
    var autoscaling: AutoscalingSpec
    var mostReplicas: Int
    var meanReplicas: Double
    /// When a request woke it from zero replicas, in seconds.
    var wakes: [Int]
    var decisions: [Decision]
    private let simulation: ScalingSimulation

    /// More changes are not listed for people.
    private static let shown = 24

    private enum CodingKeys: String, CodingKey {
        case api, autoscaling, wakes, decisions
        case mostReplicas = "most_replicas"
        case meanReplicas = "mean_replicas"
    }

    init(_ settings: Settings, _ simulation: ScalingSimulation) {
        self.api = settings.api
        self.autoscaling = settings.autoscaling
        self.autoscaling.targetReplicaConcurrency = settings.policy.target
        self.simulation = simulation
        let counts = simulation.replicas
        self.mostReplicas = counts.max() ?? settings.autoscaling.initReplicas
        self.meanReplicas = counts.isEmpty ? 0 : Double(counts.reduce(0, +)) / Double(counts.count)
        self.wakes = simulation.wakes.map { Int($0.components.seconds) }
        self.decisions = simulation.points.map { point in
            Decision(
                seconds: Int(point.time.components.seconds),
                load: point.decision.load,
                wish: point.decision.recommendation.wish,
                recommended: point.decision.recommendation.replicas,
                limit: point.decision.recommendation.limit,
                replicas: point.decision.replicas
            )
        }
    }

    // MARK: For people

    /// - Parameters:
    ///   - bold: Whether ANSI codes are written.
    ///   - width: Columns of the terminal.
    ///   - height: Its rows; the plot and what stands around it fit into them, the list of changes may go beyond.
    func render(bold: Bool, width: Int, height: Int) -> String {
        var parts = [self.heading(bold: bold, width: width)]
        if !self.simulation.samples.isEmpty { parts.append(self.plots(bold: bold, width: width, height: height)) }
        parts.append(self.changes(bold: bold, width: width))
        return parts.joined(separator: "\n\n")
    }

    private func heading(bold: Bool, width: Int) -> String {
        let (spec, name) = (self.autoscaling, self.api ?? "the defaults")
        let target = spec.targetReplicaConcurrency.map(ScalingDecision.text) ?? ""
        let facts = [
            "\(spec.minReplicas) to \(spec.maxReplicas) replicas, \(target) in flight each, over \(spec.window.goText)",
            "up to × \(ScalingDecision.text(spec.maxUpscaleFactor)) after \(spec.upscaleStabilizationPeriod.goText)",
            "down to × \(ScalingDecision.text(spec.maxDownscaleFactor)) after \(spec.downscaleStabilizationPeriod.goText)",
        ]
        let lines = TextTable.broken(facts.joined(separator: "; "), into: max(width, 20))
        return ([bold ? "\u{1B}[1m\(name)\u{1B}[0m" : name] + lines).joined(separator: "\n")
    }

    private func plots(bold: Bool, width: Int, height: Int) -> String {
        let replicas = self.simulation.replicas.map(Double.init)
        let all = [("in flight", self.simulation.samples, "36"), ("replicas", replicas, "32")]
        // Beside both: heading and blank lines, titles, axis and prompt.
        let rows = min(max((height - 11) / 2, 3), 12)
        let labels = all.flatMap { AreaPlot(values: $0.1, width: 1, height: rows).lines.map(\.label) }
        let margin = labels.map(\.count).max() ?? 0
        let columns = max(width - margin - 3, 10)
        var lines: [String] = []
        for (title, values, colour) in all {
            lines.append(String(repeating: " ", count: margin + 2) + (bold ? "\u{1B}[1m\(title)\u{1B}[0m" : title))
            for (label, text) in AreaPlot(values: values, width: columns, height: rows).lines {
                let blanks = String(repeating: " ", count: max(margin - label.count, 0))
                lines.append("\(blanks)\(label) │" + (bold ? "\u{1B}[\(colour)m\(text)\u{1B}[0m" : text))
            }
        }
        let axis = AreaPlot.axis(seconds: self.simulation.samples.count, width: columns)
        let blanks = String(repeating: " ", count: margin + 1)
        lines += ["\(blanks)└\(axis.line)", "\(blanks) \(axis.labels)"]
        return lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
    }

    private func changes(bold: Bool, width: Int) -> String {
        let mean = ScalingDecision.text(self.meanReplicas)
        let summary = "at most \(self.mostReplicas) replica\(self.mostReplicas == 1 ? "" : "s"), \(mean) on average"
        let changes = self.simulation.points.filter(\.decision.isChange)
        guard !changes.isEmpty || !self.wakes.isEmpty else { return "\(summary); nothing changes" }
        var table = TextTable([
            .init("time"), .init("mean in flight", dropOrder: 2), .init("recommended", dropOrder: 3),
            .init("replicas"), .init("limit", hiddenWhenEmpty: true, empty: "", dropOrder: 1),
        ])
        var rows = changes.map { (point: ScalingSimulation.Point) -> (Duration, [String]) in
            let decision = point.decision
            let cells = [
                AreaPlot.label(Int(point.time.components.seconds)), ScalingDecision.text(decision.load),
                "\(decision.recommendation.replicas)", "\(decision.current) → \(decision.replicas)",
                Self.limit(decision),
            ]
            return (point.time, cells)
        }
        rows += self.simulation.wakes.map { time in
            (time, [AreaPlot.label(Int(time.components.seconds)), "-", "-", "0 → 1", "woken by a request"])
        }
        rows.sort { $0.0 < $1.0 }
        for row in rows.prefix(Self.shown) { table.add(row.1) }
        let text = "\(summary)\n\n\(table.render(bold: bold, width: width))"
        guard rows.count > Self.shown else { return text }
        return "\(text)\n(the first \(Self.shown) of \(rows.count) changes; all with -o json)"
    }

    private static func limit(_ decision: ScalingDecision) -> String {
        guard decision.replicas == decision.recommendation.replicas else {
            let direction = decision.replicas < decision.current ? "downscale" : "upscale"
            return "\(direction)_stabilization_period"
        }
        return decision.recommendation.limit?.rawValue ?? ""
    }
}
