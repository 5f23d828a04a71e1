import CortexControlPlane
import Testing

/// Whole rollouts, in which whatever may happen happens in any order: what holds after each step.
@Suite struct RolloutRunTests {
    /// Steps until nothing is left to do, or until it is clear that there is no end.
    private struct Run {
        var replicas: [RolloutPlan.Replica]
        var lastID: Int
        var random: Numbers
        /// Whether a new replica comes up.
        var isBroken: Bool

        init(old: Int, isBroken: Bool, random: Numbers) {
            self.replicas = (0..<old).map { RolloutPlan.Replica(id: $0, isNew: false, state: .ready) }
            self.lastID = old
            self.isBroken = isBroken
            self.random = random
        }

        var ready: Int { self.replicas.count { $0.state == .ready } }
        var active: Int { self.replicas.count { $0.state != .draining } }

        mutating func act(on step: RolloutPlan.Step) {
            for isNew in Array(repeating: true, count: step.start) + Array(repeating: false, count: step.restore) {
                self.lastID += 1
                self.replicas.append(RolloutPlan.Replica(id: self.lastID, isNew: isNew, state: .starting))
            }
            for index in self.replicas.indices where step.drain.contains(self.replicas[index].id) {
                self.replicas[index].state = .draining
            }
        }

        /// One replica gets on, if there is one that can.
        mutating func happen() {
            let movable = self.replicas.indices.filter { index in
                switch self.replicas[index].state {
                case .starting, .draining: true
                case .ready, .failed: false
                }
            }
            guard let index = movable.randomElement(using: &self.random) else { return }
            switch self.replicas[index].state {
            case .draining: self.replicas.remove(at: index)
            case .starting: self.replicas[index].state = self.replicas[index].isNew && self.isBroken ? .failed : .ready
            case .ready, .failed: break
            }
        }
    }

    /// Numbers that look random and are the same each time (SplitMix64).
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = self.state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private static func plans(_ random: inout Numbers) -> (plan: RolloutPlan, old: Int) {
        let desired = Int.random(in: 1...9, using: &random)
        let plan = RolloutPlan(
            desired: desired,
            surge: Int.random(in: 0...4, using: &random),
            unavailable: Int.random(in: 0...4, using: &random)
        )
        return (plan, Int.random(in: 0...9, using: &random))
    }

    @Test(arguments: 0..<200)
    func `a good version takes over, within its bounds all the way`(seed: UInt64) {
        var random = Numbers(state: seed)
        let (plan, old) = Self.plans(&random)
        var run = Run(old: old, isBroken: false, random: random)
        var least = run.ready
        for _ in 0..<500 {
            let step = plan.step(for: run.replicas)
            run.act(on: step)
            #expect(run.active <= max(plan.desired + plan.surge, old), "\(plan) \(run.replicas)")
            // Never fewer than may be away, nor fewer than there were, as far as that was less.
            let needed = min(plan.desired - plan.unavailable, least)
            #expect(run.ready >= needed, "\(plan) \(run.replicas)")
            least = run.ready
            if plan.surge > 0, old > 0 { #expect(run.ready >= 1) }
            run.happen()
        }
        #expect(run.replicas.count == plan.desired)
        #expect(run.replicas.allSatisfy { $0.isNew && $0.state == .ready })
    }

    @Test(arguments: 0..<200)
    func `a broken version unseats nothing for good`(seed: UInt64) {
        var random = Numbers(state: seed)
        let (plan, old) = Self.plans(&random)
        guard old > 0 else { return }
        var run = Run(old: old, isBroken: true, random: random)
        for _ in 0..<500 {
            run.act(on: plan.step(for: run.replicas))
            if plan.surge > 0 { #expect(run.ready >= 1, "\(plan) \(run.replicas)") }
            run.happen()
        }
        let serving = run.replicas.count { !$0.isNew && $0.state == .ready }
        #expect(serving >= min(old, plan.desired), "\(plan) \(run.replicas)")
        #expect(plan.step(for: run.replicas) == RolloutPlan.Step(), "it comes to rest")
    }

    @Test(arguments: 0..<200)
    func `any count is reached from any other`(seed: UInt64) {
        var random = Numbers(state: seed)
        let (plan, old) = Self.plans(&random)
        var run = Run(old: 0, isBroken: false, random: random)
        run.replicas = (0..<old).map { RolloutPlan.Replica(id: $0, isNew: true, state: .ready) }
        run.lastID = old
        for _ in 0..<100 {
            run.act(on: plan.step(for: run.replicas))
            #expect(run.ready >= min(old, plan.desired), "\(plan) \(run.replicas)")
            run.happen()
        }
        #expect(run.replicas.count == plan.desired)
    }
}
