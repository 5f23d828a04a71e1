package import CortexSpec

/// Which replicas of an API to start and to drain next, decided from what there is; does nothing itself.
///
/// The rules are those of Kubernetes' deployments, a step at a time. With `n` replicas wanted:
///
/// - no more than `n + max_surge` replicas are there at once (percentages of `n`, rounded up);
/// - no fewer than `n − max_unavailable` of them, of whatever version, can answer (rounded down), as far as that is so
///   already; where both come to 0, one may be unavailable;
/// - a new one can answer when it is ready, and has answered the sample where there is one.
///
/// Two things are stricter. A new version that is not prepared yet, or of which some replica has failed and none is ready,
/// takes no old one's place, and gives back what had been made free for it. And where nothing may be added (`max_surge: 0`) a replica
/// that still drains counts: what it holds of the machine is what the next one waits for.
package struct RolloutPlan: Hashable, Sendable {
    /// One replica as it is now.
    package struct Replica: Hashable, Sendable {
        package enum State: Hashable, Sendable, CaseIterable {
            /// Its workers start, or it has not answered the sample yet.
            case starting
            /// It takes requests.
            case ready
            /// It did not come up, or has come down; it may yet come back.
            case failed
            /// It finishes what it has.
            case draining
        }

        /// Higher ones were started later.
        package var id: Int
        /// Of the version that is wanted.
        package var isNew: Bool
        package var state: State

        package init(id: Int, isNew: Bool, state: State) {
            self.id = id
            self.isNew = isNew
            self.state = state
        }
    }

    /// What to do now; nothing where all is as it should be, or something has to happen first.
    package struct Step: Hashable, Sendable {
        /// How many of the version that is wanted are to be started.
        package var start = 0
        /// How many of the version before it, whose place was taken too early.
        package var restore = 0
        /// Those that are to be drained, by their ids.
        package var drain: [Int] = []

        package init(start: Int = 0, restore: Int = 0, drain: [Int] = []) {
            self.start = start
            self.restore = restore
            self.drain = drain
        }
    }

    package var desired: Int
    /// How many more there may be at once.
    package var surge: Int
    /// How many fewer may be able to answer.
    package var unavailable: Int

    package init(desired: Int, strategy: UpdateStrategySpec) {
        let surge = strategy.surge?.amount(of: desired, .up) ?? 1
        let unavailable = strategy.unavailable?.amount(of: desired, .down) ?? 0
        self.init(desired: desired, surge: surge, unavailable: unavailable)
    }

    /// - Parameter unavailable: Raised to 1 where `surge` is 0 too, since nothing could ever begin.
    package init(desired: Int, surge: Int, unavailable: Int) {
        self.desired = desired
        self.surge = surge
        self.unavailable = surge == 0 ? max(unavailable, 1) : unavailable
    }

    /// - Parameters:
    ///   - replicas: In any order.
    ///   - canStart: Whether all that the wanted version needs is there, so that its replicas can be started.
    ///   - restoring: How many of the version before are to serve while the wanted one cannot, where that is not `desired`.
    package func step(for replicas: [Replica], canStart: Bool = true, restoring: Int? = nil) -> Step {
        let active = replicas.filter { $0.state != .draining }
        let new = active.filter(\.isNew)
        let old = active.filter { !$0.isNew }
        let isProven = new.contains { $0.state == .ready }
        let present = self.surge == 0 ? replicas.count : active.count
        let room = min(self.desired + self.surge - present, self.desired - new.count)
        var step = Step(start: canStart ? max(0, room) : 0, drain: Self.surplus(of: new, over: self.desired))
        if !canStart && new.isEmpty || !isProven && new.contains(where: { $0.state == .failed }) {
            // What has failed holds next to nothing of the machine.
            let kept = restoring ?? self.desired
            step.restore = max(0, kept - old.count - new.count { $0.state == .starting })
            step.drain += Self.surplus(of: old, over: kept)
        } else {
            step.drain += self.outdated(old, new: new, isProven: isProven)
        }
        return step
    }

    /// Those that are too many of one kind: who cannot answer first, then the youngest.
    private static func surplus(of replicas: [Replica], over count: Int) -> [Int] {
        self.leastUseful(replicas).prefix(max(0, replicas.count - count)).map(\.id)
    }

    private func outdated(_ old: [Replica], new: [Replica], isProven: Bool) -> [Int] {
        guard !old.isEmpty else { return [] }
        guard self.desired > 0 else { return old.map(\.id) }
        let needed = max(0, self.desired - self.unavailable)
        let unready = new.count { $0.state != .ready }
        // Those that cannot answer anyway, as far as there are as many left as have to be.
        let spare = max(0, old.count + new.count - needed - unready)
        let idle = Self.leastUseful(old.filter { $0.state != .ready })
        // While nothing answers, one that is about to may be the only one that ever will.
        var drained = isProven || old.contains { $0.state == .ready } ? idle.prefix(spare).map(\.id) : []
        let ready = Self.leastUseful(old.filter { $0.state == .ready })
        let able = ready.count + new.count { $0.state == .ready }
        var count = max(0, min(able - needed, ready.count))
        // The last one stays until there is another, unless its place is what the other waits for.
        if !isProven, self.surge > 0 { count = min(count, ready.count - 1) }
        drained += ready.prefix(max(0, count)).map(\.id)
        return drained
    }

    private static func leastUseful(_ replicas: [Replica]) -> [Replica] {
        replicas.sorted { ($0.state.usefulness, -$0.id) < ($1.state.usefulness, -$1.id) }
    }
}

extension RolloutPlan.Replica.State {
    fileprivate var usefulness: Int {
        switch self {
        case .draining: 0
        case .failed: 1
        case .starting: 2
        case .ready: 3
        }
    }
}

extension CountOrPercentage {
    package enum Rounding: Hashable, Sendable { case up, down }

    /// So many of `count`.
    package func amount(of count: Int, _ rounding: Rounding) -> Int {
        switch self {
        case .count(let own): return own
        case .percentage(let share):
            let (whole, rest) = (share * count).quotientAndRemainder(dividingBy: 100)
            return rounding == .up && rest > 0 ? whole + 1 : whole
        }
    }
}
