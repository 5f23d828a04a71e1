import CortexControlPlane
import CortexSpec
import Testing

/// The next step of a rollout, in tables.
@Suite struct RolloutPlanTests {
    /// Replicas in a row, the oldest first: `r` ready, `s` starting, `f` failed, `d` draining; capitals are new ones.
    private static func replicas(_ text: String) -> [RolloutPlan.Replica] {
        text.enumerated().map { id, letter in
            let state: RolloutPlan.Replica.State =
                switch letter.lowercased() {
                case "r": .ready
                case "s": .starting
                case "f": .failed
                default: .draining
                }
            return RolloutPlan.Replica(id: id, isNew: letter.isUppercase, state: state)
        }
    }

    struct Row: Sendable {
        var desired: Int
        var surge: Int
        var unavailable: Int
        var replicas: String
        var start = 0
        var restore = 0
        var drain: [Int] = []
        /// How many old ones are to serve while no new one can, where that is not `desired`.
        var restoring: Int?
    }

    @Test(arguments: [
        // From nothing.
        Row(desired: 3, surge: 1, unavailable: 0, replicas: "", start: 3),
        Row(desired: 0, surge: 1, unavailable: 0, replicas: ""),
        // Done.
        Row(desired: 2, surge: 1, unavailable: 0, replicas: "RR"),
        // Up and down within a version: who cannot answer goes first, then the youngest.
        Row(desired: 4, surge: 1, unavailable: 1, replicas: "RR", start: 2),
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "RRR", drain: [2, 1]),
        Row(desired: 2, surge: 1, unavailable: 0, replicas: "RSRF", drain: [3, 1]),
        Row(desired: 0, surge: 1, unavailable: 0, replicas: "RR", drain: [1, 0]),
        // One beside the old one, which goes once it is ready.
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "r", start: 1),
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "rS"),
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "rR", drain: [0]),
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "dR"),
        // A step at a time: the youngest old ones first.
        Row(desired: 3, surge: 1, unavailable: 0, replicas: "rrr", start: 1),
        Row(desired: 3, surge: 1, unavailable: 0, replicas: "rrrR", drain: [2]),
        Row(desired: 3, surge: 1, unavailable: 0, replicas: "rrdR", start: 1),
        Row(desired: 4, surge: 1, unavailable: 1, replicas: "rrrr", start: 1, drain: [3]),
        Row(desired: 4, surge: 4, unavailable: 0, replicas: "rrrr", start: 4),
        // Room first.
        Row(desired: 2, surge: 0, unavailable: 1, replicas: "rr", drain: [1]),
        Row(desired: 2, surge: 0, unavailable: 1, replicas: "rd"),
        Row(desired: 2, surge: 0, unavailable: 1, replicas: "r", start: 1),
        Row(desired: 2, surge: 0, unavailable: 1, replicas: "rS"),
        Row(desired: 2, surge: 0, unavailable: 1, replicas: "rR", drain: [0]),
        Row(desired: 1, surge: 0, unavailable: 1, replicas: "r", drain: [0]),
        // A broken version takes no place, and gives back what was taken for it.
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "rF"),
        Row(desired: 4, surge: 1, unavailable: 2, replicas: "rrrrF"),
        Row(desired: 4, surge: 1, unavailable: 2, replicas: "rrFFF", restore: 2),
        Row(desired: 1, surge: 0, unavailable: 1, replicas: "F", restore: 1),
        Row(desired: 1, surge: 0, unavailable: 1, replicas: "Fs"),
        Row(desired: 1, surge: 0, unavailable: 1, replicas: "Fr"),
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "rrF", drain: [1]),
        // Nor has it one of the old version wait for requests, where that sleeps.
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "F", restoring: 0),
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "rF", drain: [0], restoring: 0),
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "S", restoring: 0),
        // One of it that is ready is proof: the others go on being tried.
        Row(desired: 3, surge: 1, unavailable: 0, replicas: "rrRF"),
        Row(desired: 3, surge: 1, unavailable: 0, replicas: "rrRRF", drain: [1]),
        // All may be away at once: but the last old one stays until there is another.
        Row(desired: 2, surge: 1, unavailable: 2, replicas: "rrS", drain: [1]),
        Row(desired: 1, surge: 1, unavailable: 1, replicas: "rS"),
        // A server that comes back brings up both; whoever is ready first serves.
        Row(desired: 2, surge: 1, unavailable: 0, replicas: "ssS"),
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "sR", drain: [0]),
        Row(desired: 1, surge: 1, unavailable: 0, replicas: "sF"),
    ])
    func `the next step`(row: Row) {
        let plan = RolloutPlan(desired: row.desired, surge: row.surge, unavailable: row.unavailable)
        let step = plan.step(for: Self.replicas(row.replicas), restoring: row.restoring)
        #expect(step == RolloutPlan.Step(start: row.start, restore: row.restore, drain: row.drain), "\(row)")
    }

    @Test(arguments: [
        (1, "25%", "25%", 1, 0), (4, "25%", "25%", 1, 1), (5, "25%", "25%", 2, 1), (10, "100%", "0%", 10, 0),
        (3, "0", "0%", 0, 1), (3, "0%", "10%", 0, 1), (2, "5", "1", 5, 1),
    ])
    func `shares are rounded up for the surge and down for what may be away`(
        desired: Int,
        surge: String,
        unavailable: String,
        above: Int,
        below: Int
    ) {
        let strategy = UpdateStrategySpec(maxSurge: surge, maxUnavailable: unavailable)
        let plan = RolloutPlan(desired: desired, strategy: strategy)
        #expect(plan == RolloutPlan(desired: desired, surge: above, unavailable: below))
    }

    @Test(arguments: [
        (2, "rr", RolloutPlan.Step()), (3, "rr", RolloutPlan.Step(restore: 1)), (1, "rr", RolloutPlan.Step(drain: [1])),
        (2, "", RolloutPlan.Step(restore: 2)),
    ])
    func `a version that is not prepared takes no place, and the old one is scaled meanwhile`(
        desired: Int,
        replicas: String,
        step: RolloutPlan.Step
    ) {
        let plan = RolloutPlan(desired: desired, surge: 2, unavailable: 2)
        #expect(plan.step(for: Self.replicas(replicas), canStart: false) == step)
    }
}
