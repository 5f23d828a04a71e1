import CortexControlPlane
import CortexSpec
import Foundation
import Testing

@testable import CortexCommands

@Suite struct SimulationReportTests {
    private func report(
        _ steps: String,
        _ spec: AutoscalingSpec = .init(),
        api: String? = nil
    ) throws -> SimulationReport {
        let settings = SimulationReport.Settings(api: api, autoscaling: spec, slots: 1)
        let trace = try #require(try LoadTrace(steps: steps))
        return SimulationReport(settings, ScalingSimulation(trace, settings.policy, from: spec.initReplicas))
    }

    @Test func `fits the terminal and tells each change`() throws {
        let text = try self.report("0x60,8x120", api: "iris").render(bold: false, width: 60, height: 17)
        #expect(
            text == """
                iris
                1 to 100 replicas, 1 in flight each, over 1m0s; up to × 1.5
                after 1m0s; down to × 0.75 after 5m0s

                   in flight
                8 │                  ██████████████████████████████████████
                  │                  ██████████████████████████████████████
                0 │                  ██████████████████████████████████████
                   replicas
                2 │                                     ███████████████████
                  │▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄███████████████████
                0 │████████████████████████████████████████████████████████
                  └┬─────────────────┬──────────────────┬──────────────────
                   0                 1m                 2m

                at most 2 replicas, 1.33 on average

                time  mean in flight  recommended  replicas
                2m    8               2            1 → 2
                3m    8               3            2 → 3
                """
        )
    }

    @Test func `no more rows than the terminal has, but for the changes`() throws {
        let text = try self.report("0x60,8x600").render(bold: false, width: 80, height: 24)
        let plot = text.components(separatedBy: "\n\nat most").first ?? ""
        #expect(plot.split(separator: "\n", omittingEmptySubsequences: false).count <= 22)
    }

    @Test func `programs get each decision and the settings that are meant`() throws {
        let data = try StateJSON.encoder().encode(try self.report("0x60,8x65"))
        let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let settings = try #require(json["autoscaling"] as? [String: Any])
        #expect(settings["target_replica_concurrency"] as? Double == 1)
        let decisions = try #require(json["decisions"] as? [[String: Any]])
        #expect(decisions.compactMap { $0["seconds"] as? Int } == Array(stride(from: 10, through: 120, by: 10)))
        #expect(decisions.last?["replicas"] as? Int == 2)
        #expect(decisions.last?["limit"] as? String == "max_upscale_factor")
        #expect(json["most_replicas"] as? Int == 2)
    }

    @Test func `a request that wakes an API is told`() throws {
        let spec = AutoscalingSpec(minReplicas: 0, initReplicas: 0)
        let text = try self.report("0x90,1x30", spec).render(bold: false, width: 80, height: 30)
        #expect(text.contains("1m30s"))
        #expect(text.contains("0 → 1      woken by a request"))
    }

    @Test func `what never changes is said in a line`() throws {
        let text = try self.report("0x30").render(bold: false, width: 80, height: 30)
        #expect(text.hasSuffix("at most 1 replica, 1 on average; nothing changes"))
    }
}
