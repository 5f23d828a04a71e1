import CortexControlPlane
import CortexSpec
import Foundation
import Testing

/// What an autoscaler makes of gaps, restarts and changed settings.
@Suite struct AutoscalerTests {
    /// An autoscaler with a clock of its own.
    private struct Watched {
        var autoscaler = Autoscaler(at: .zero)
        var policy: AutoscalerPolicy
        var current = 1
        var second = 0
        var decisions: [ScalingDecision?] = []

        init(_ policy: AutoscalerPolicy, from current: Int = 1) {
            self.policy = policy
            self.current = current
        }

        mutating func watch(_ load: Double, seconds: Int) {
            for _ in 0..<seconds {
                if self.second % 10 == 0 { self.decide() }
                self.autoscaler.observe(inFlight: load, isBusy: load > 0, at: .seconds(self.second))
                self.second += 1
            }
        }

        mutating func decide() {
            let time = Duration.seconds(self.second)
            let decision = self.autoscaler.decide(self.policy, current: self.current, at: time)
            self.decisions.append(decision)
            self.current = decision?.replicas ?? self.current
        }
    }

    @Test func `decides nothing before it has seen a period`() {
        var watched = Watched(.with())
        watched.watch(8, seconds: 11)
        #expect(watched.decisions.map { $0 == nil } == [true, false])
    }

    @Test func `periods without samples are no periods without load`() throws {
        var watched = Watched(.with { $0.upscaleStabilizationPeriod = .zero }, from: 8)
        watched.watch(8, seconds: 20)
        // Nobody samples for half a minute, in which the window does not pass.
        watched.second += 30
        watched.decide()
        #expect(watched.decisions.last == .some(nil))
        watched.watch(8, seconds: 11)
        let decision = try #require(watched.decisions.last ?? nil)
        #expect(decision.load == 8)
        #expect(decision.replicas == 8)
    }

    @Test func `what it remembers outlives a restart`() throws {
        var watched = Watched(.with(), from: 8)
        watched.watch(8, seconds: 600)
        watched.watch(0, seconds: 200)
        let stored = try JSONEncoder().encode(watched.autoscaler)
        watched.autoscaler = try JSONDecoder().decode(Autoscaler.self, from: stored)
        watched.second += 20
        watched.autoscaler.resume(at: .seconds(watched.second))
        // 8 was recommended last at 600, which is too old from 900 on: not from 820 + 300.
        watched.watch(0, seconds: 80)
        #expect(watched.current == 8)
        watched.watch(0, seconds: 20)
        #expect(watched.current < 8)
    }

    @Test func `a pause that is longer than a period starts it anew`() {
        var watched = Watched(.with(), from: 8)
        watched.watch(8, seconds: 600)
        watched.second += 400
        watched.autoscaler.resume(at: .seconds(watched.second))
        watched.watch(0, seconds: 300)
        #expect(watched.current == 8)
        watched.watch(0, seconds: 11)
        #expect(watched.current == 6)
    }

    @Test func `an API that could not answer for a period is watched anew`() {
        var watched = Watched(.with(), from: 8)
        watched.watch(8, seconds: 600)
        // Decisions are asked for, and nobody can say what the load is.
        for _ in 0..<40 {
            watched.decide()
            watched.second += 10
        }
        watched.watch(0, seconds: 300)
        #expect(watched.current == 8)
        watched.watch(0, seconds: 11)
        #expect(watched.current == 6)
    }

    @Test func `a clock that was set back leaves nothing in the future`() {
        var watched = Watched(.with(), from: 8)
        watched.second = 100_000
        watched.autoscaler = Autoscaler(at: .seconds(watched.second))
        watched.watch(8, seconds: 600)
        watched.second = 1_000
        watched.autoscaler.resume(at: .seconds(watched.second))
        watched.watch(0, seconds: 290)
        #expect(watched.current == 8)
        watched.watch(0, seconds: 31)
        #expect(watched.current < 8)
    }

    @Test func `changed bounds hold at once`() {
        var watched = Watched(.with(), from: 8)
        watched.watch(8, seconds: 60)
        watched.policy = .with { $0.maxReplicas = 3 }
        watched.watch(8, seconds: 11)
        #expect(watched.current == 3)
        watched.policy = .with { $0.minReplicas = 5 }
        watched.watch(8, seconds: 11)
        #expect(watched.current == 5)
    }

    @Test func `a count that was changed from outside is taken as it is`() {
        var watched = Watched(.with())
        watched.watch(8, seconds: 300)
        watched.current = 20
        watched.watch(8, seconds: 1)
        #expect(watched.current == 15)
    }

    @Test func `requests too short for a sample keep the last replica`() {
        let policy = AutoscalerPolicy.with {
            $0.minReplicas = 0
            $0.window = .seconds(10)
            $0.downscaleStabilizationPeriod = .zero
        }
        var autoscaler = Autoscaler(at: .zero)
        for second in 0..<10 { autoscaler.observe(inFlight: 0, isBusy: second == 3, at: .seconds(second)) }
        #expect(autoscaler.decide(policy, current: 1, at: .seconds(10))?.replicas == 1)
        for second in 10..<20 { autoscaler.observe(inFlight: 0, isBusy: false, at: .seconds(second)) }
        #expect(autoscaler.decide(policy, current: 1, at: .seconds(20))?.replicas == 0)
    }

    @Test func `a decision explains itself`() throws {
        var watched = Watched(.with())
        watched.watch(8, seconds: 61)
        let decision = try #require(watched.decisions.last ?? nil)
        #expect(
            decision.explanation(watched.policy)
                == "replicas 1 → 2: 8 in flight on average over 1m0s, with a target of 1 each: 8; by max_upscale_factor 2"
        )
        var falling = Watched(.with(), from: 80)
        falling.watch(80, seconds: 960)
        falling.watch(8, seconds: 301)
        let down = try #require(falling.decisions.last ?? nil)
        #expect(
            down.explanation(falling.policy)
                == "replicas 80 → 68: 8 in flight on average over 1m0s, with a target of 1 each: 8; "
                + "by max_downscale_factor 60; by downscale_stabilization_period 5m0s 68"
        )
    }
}
