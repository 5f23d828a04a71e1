package import CortexSpec
import Synchronization

/// Which APIs the requests to a splitter go to.
///
/// All event loops take turns from one count, so that shares are exact over the whole server; that is one atomic addition for a
/// request. Other weights are another split, on another route.
package final class TrafficSplit: Sendable {
    /// Gets copies of requests, whose answers are dropped; nil where nothing does.
    let shadow: APIName?
    /// Those that requests go to: what has no weight is left out.
    package let targets: [APIName]
    private let round: WeightedRound
    private let copies: WeightedRound
    private let turns = Atomic<UInt>(0)
    private let copyTurns = Atomic<UInt>(0)

    package init(_ spec: TrafficSplitterSpec) {
        let targets = spec.apis.filter { !$0.shadow && $0.weight > 0 }
        self.targets = targets.map(\.name)
        self.round = WeightedRound(targets.map(\.weight))
        let shadow = spec.apis.first { $0.shadow }
        self.shadow = shadow?.name
        self.copies = WeightedRound(shadow.map { [$0.weight, 100 - $0.weight] } ?? [])
    }

    /// The API that the next request goes to; nil where none has a weight.
    func takeTurn() -> APIName? {
        let turn = self.turns.wrappingAdd(1, ordering: .relaxed).oldValue
        return self.round[turn].map { self.targets[$0] }
    }

    /// The API that a copy of the next request goes to; nil where it is not to be copied.
    func takeCopyTurn() -> APIName? {
        guard let shadow = self.shadow else { return nil }
        let turn = self.copyTurns.wrappingAdd(1, ordering: .relaxed).oldValue
        return self.copies[turn] == 0 ? shadow : nil
    }
}
