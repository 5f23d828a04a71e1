package import Foundation

extension Reconciler {
    /// Frees disk space: projects that no deployment can go back to, and what the provider keeps for no API.
    ///
    /// What a deployed API needs stays, also while its workers are down.
    /// - Parameters:
    ///   - isDryRun: Whether it is only counted.
    ///   - isThorough: Whether the environments of earlier deployments go too.
    package func prune(
        _ projects: ProjectStore,
        isDryRun: Bool,
        isThorough: Bool,
        now: Date = Date()
    ) async throws -> PruneReport {
        // No deploy in between: what is about to be wanted must be wanted by then.
        let (item, uses) = try await self.turns.withTurn {
            let uses = try await self.store.projectUses()
            let item = try await projects.prune(isDryRun: isDryRun) { hash, touched in
                uses.kept.contains("\(hash)")
                    || Self.isAwaited(touched, lastDeployed: uses.lastDeployed["\(hash)"], now)
            }
            return (item, try await self.store.environmentUses())
        }
        var report = try await self.provider.prune(
            isDryRun: isDryRun,
            keeping: isThorough ? uses.current : uses.current.union(uses.history)
        )
        report = PruneReport(
            isDryRun: isDryRun,
            items: (report.items + [item]).sorted { $0.kind.place < $1.kind.place },
            problems: report.problems,
            cacheCommand: report.cacheCommand
        )
        return report
    }

    /// How long the deploy of a project may come after the project itself.
    private static let patience: TimeInterval = 3600

    /// Whether a project was sent, or asked for, by a client who has yet to deploy it.
    private static func isAwaited(_ touched: Date, lastDeployed: Date?, _ now: Date) -> Bool {
        guard now.timeIntervalSince(touched) < Self.patience else { return false }
        // The store of deployments keeps milliseconds.
        let milliseconds = (touched.timeIntervalSince1970 * 1000).rounded(.down) / 1000
        return lastDeployed.map { $0.timeIntervalSince1970 < milliseconds } ?? true
    }
}

extension PruneItem.Kind {
    /// In reports, from the top.
    fileprivate var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
