import CortexControlPlane
import CortexSpec
import Testing

/// Traces with the counts that follow from the specification, each worked out by hand.
///
/// A decision at second `t` sees the whole periods before it; a recommendation of second `s` is within a period `p` where
/// `t - s < p`.
@Suite struct AutoscalerTraceTests {
    struct Change: Equatable {
        var second: Int
        var replicas: Int

        init(_ second: Int, _ replicas: Int) {
            self.second = second
            self.replicas = replicas
        }
    }

    private func changes(_ steps: String, _ policy: AutoscalerPolicy, from first: Int = 1) throws -> [Change] {
        let trace = try #require(try LoadTrace(steps: steps))
        return ScalingSimulation(trace, policy, from: first).points.filter(\.decision.isChange).map {
            Change(Int($0.time.components.seconds), $0.decision.replicas)
        }
    }

    @Test func `steps of 0, 8, 80, 8 and 0 in flight, with the defaults`() throws {
        let found = try self.changes("0x60,8x300,80x600,8x600,0x900", .with())
        #expect(
            found == [
                // Up by ⌈1.5 × current⌉, each once it was recommended for a minute: 2 since 70, 3 since 130, …
                Change(120, 2), Change(180, 3), Change(240, 5), Change(300, 8),
                // 80 in flight from 360 on: 370 sees a mean of 20 and the factor lets it be 12, then 18, 27, 41, 62.
                Change(420, 12), Change(480, 18), Change(540, 27), Change(600, 41), Change(660, 62), Change(720, 80),
                // 8 from 960 on, and 80 was last recommended then: 5 minutes later the most is the 68 of 970 (mean 68),
                // and then the 60 of 980 on, which is ⌈0.75 × 80⌉.
                Change(1260, 68), Change(1270, 60),
                // 60 was last recommended at 1260, 51 at 1270 (⌈0.75 × 68⌉), and 45 from 1280 on (⌈0.75 × 60⌉).
                Change(1560, 51), Change(1570, 45),
                // Of each step of 5 minutes: ⌈0.75 × 51⌉ = 39, ⌈0.75 × 45⌉ = 34; 30, 26; 23.
                Change(1860, 39), Change(1870, 34), Change(2160, 30), Change(2170, 26), Change(2460, 23),
            ]
        )
    }

    @Test func `at its fastest it follows each period`() throws {
        let policy = AutoscalerPolicy.with {
            $0.window = .seconds(10)
            $0.upscaleStabilizationPeriod = .zero
            $0.downscaleStabilizationPeriod = .zero
        }
        // Up: ⌈1.5⌉ = 2, one more = 3, ⌈4.5⌉ = 5, ⌈7.5⌉ = 8. Down: ⌈6⌉ = 6, ⌈4.5⌉ = 5, ⌈3.75⌉ = 4, then one by one.
        #expect(
            try self.changes("0x30,8x60,0x60", policy) == [
                Change(40, 2), Change(50, 3), Change(60, 5), Change(70, 8),
                Change(100, 6), Change(110, 5), Change(120, 4), Change(130, 3), Change(140, 2), Change(150, 1),
            ]
        )
    }

    @Test func `8 in flight with a target of 1.6 come to 5 replicas`() throws {
        let policy = AutoscalerPolicy.with { $0.targetReplicaConcurrency = 1.6 }
        // The first minute only watches; 2 was recommended for all of it.
        #expect(try self.changes("8x900", policy) == [Change(60, 2), Change(120, 3), Change(180, 5)])
    }

    @Test func `a dip shorter than the downscale stabilisation changes nothing`() throws {
        let policy = AutoscalerPolicy.with { $0.window = .seconds(10) }
        // The dip's first recommendation is of 610, the last of 8 before it of 600, which is too old from 900 on.
        #expect(try self.changes("8x600,0x290,8x600", policy, from: 8) == [])
        #expect(try self.changes("8x600,0x300,8x600", policy, from: 8).first == Change(900, 6))
    }

    @Test func `a spike shorter than the upscale stabilisation changes nothing`() throws {
        let policy = AutoscalerPolicy.with { $0.window = .seconds(10) }
        // Recommended from 610 to 660: six periods are a minute.
        #expect(try self.changes("1x600,8x50,1x600", policy) == [])
        #expect(try self.changes("1x600,8x60,1x200", policy).first == Change(660, 2))
    }

    @Test func `without upscale stabilisation nothing is raised while load falls`() throws {
        let policy = AutoscalerPolicy.with { $0.upscaleStabilizationPeriod = .zero }
        // The original's floor, unbounded by the current count, would go up to what was recommended in between.
        let found = try self.changes("8x600,2x900", policy, from: 8)
        #expect(found.allSatisfy { $0.replicas < 8 })
        #expect(found == found.sorted { $0.replicas > $1.replicas })
    }

    @Test func `an idle API goes to sleep after the downscale stabilisation, and one request wakes it`() throws {
        let policy = AutoscalerPolicy.with {
            $0.minReplicas = 0
            $0.initReplicas = 0
        }
        // In the window until 65 s, so that 1 is recommended up to 120, and 0 from 130 on.
        let trace = try #require(try LoadTrace(steps: "1x65,0x600,1x1,0x600"))
        let found = ScalingSimulation(trace, policy, from: 0)
        #expect(found.wakes == [.seconds(0), .seconds(665)])
        #expect(found.replicas[0] == 1)
        #expect(found.replicas[419] == 1)
        #expect(found.replicas[420] == 0)
        #expect(found.replicas[664] == 0)
        #expect(found.replicas[665] == 1)
        // The request of 665 is in the windows of 670 to 720.
        #expect(found.replicas[1019] == 1)
        #expect(found.replicas[1020] == 0)
    }
}
