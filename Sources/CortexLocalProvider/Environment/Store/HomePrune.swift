import CortexControlPlane
import Foundation

/// Frees the disk of what nobody uses in a home: environments, logs of their builds, tools, and what was left over.
///
/// Everything that is used has a lease on it, or is told to be kept; what is so young that it may be about to have one
/// stays too. Blocks for as long as the disk needs.
struct HomePrune: Sendable {
    /// A folder that was modified this short ago may be waiting for its lease.
    static let youth: TimeInterval = 600
    /// How long the log of a build that failed is kept.
    static let keptLogs: TimeInterval = 24 * 3600

    let home: CortexHome
    let environments: EnvironmentStore
    /// Those that uv is found by.
    let variables: ProcessEnvironment
    /// The APIs that there are, by name.
    let apis: Set<String>
    let isDryRun: Bool
    var now = Date()

    /// Environments that are another home's are for that one's server to prune.
    private var ownsEnvironments: Bool { self.environments.folder == self.home.environments }

    /// - Parameter kept: Environments that stay although nobody has a lease on them.
    func run(keeping kept: Set<String>) -> PruneReport {
        var sum = PruneSum()
        for folder in [self.home.environments, self.home.tools, self.home.versions] {
            sum.collect { sum in
                for use in try Removal.finish(in: folder, isDryRun: self.isDryRun) { sum.add(.leftovers, use) }
            }
        }
        if self.ownsEnvironments {
            sum.collect { try self.pruneEnvironments(keeping: kept, into: &$0) }
            sum.collect { try self.pruneLogs(into: &$0) }
        }
        sum.collect { try self.pruneAPILogs(into: &$0) }
        sum.collect { try self.pruneTools(into: &$0) }
        sum.collect { try self.pruneVersions(into: &$0) }
        let isCached = sum.items.contains { $0.cachedBytes > 0 }
        return PruneReport(
            isDryRun: self.isDryRun,
            items: sum.items,
            problems: sum.problems,
            cacheCommand: isCached ? self.cacheCommand : nil
        )
    }

    private func pruneEnvironments(keeping kept: Set<String>, into sum: inout PruneSum) throws {
        let all = try self.environments.contents(EnvironmentUses(current: kept))
        var ledger = DiskLedger(all.map(\.use))
        for environment in all where environment.need != .now {
            sum.collect { sum in
                let log = try DiskTree.use(of: self.environments.log(of: environment.key))
                if !self.isDryRun { guard try self.environments.remove(environment.key) else { return } }
                sum.add(.environments, ledger.remove(environment.use))
                if log != DiskUse() { sum.add(.buildLogs, log) }
            }
        }
    }

    /// Logs of builds that failed, once they are old: the error that names one may still be read.
    private func pruneLogs(into sum: inout PruneSum) throws {
        let there = Set(try self.environments.keys())
        for name in try DiskTree.names(in: self.environments.logs) where name.hasSuffix(".log") {
            let path = "\(self.environments.logs)/\(name)"
            guard !there.contains(String(name.dropLast(4))), self.isOlder(path, than: Self.keptLogs) else { continue }
            sum.collect { sum in
                let use = try DiskTree.use(of: path)
                if !self.isDryRun { try DiskTree.remove(path) }
                sum.add(.buildLogs, use)
            }
        }
    }

    /// Logs of APIs that are no more, with what was rotated away (`iris.log`, `iris.log.1`).
    private func pruneAPILogs(into sum: inout PruneSum) throws {
        let folder = "\(self.home.logs)/apis"
        for name in try DiskTree.names(in: folder) {
            let path = "\(folder)/\(name)"
            guard let api = name.split(separator: ".").first, !self.apis.contains(String(api)),
                self.isOlder(path, than: Self.youth)
            else { continue }
            sum.collect { sum in
                let use = try DiskTree.use(of: path)
                if !self.isDryRun { try DiskTree.remove(path) }
                sum.add(.apiLogs, use)
            }
        }
    }

    private func pruneTools(into sum: inout PruneSum) throws {
        let names = try DiskTree.names(in: self.home.tools)
        // The newest uv is the one that is run where there is no other; there is no lease on it.
        let newest = names.filter { $0.hasPrefix("uv-") }.compactMap { ToolVersion($0.dropFirst(3)) }.max()
        for name in names {
            let isOldTool =
                if name.hasPrefix("uv-"), let version = ToolVersion(name.dropFirst(3)) {
                    version != newest
                } else {
                    // One with a dot was being unpacked when its process ended.
                    name.hasPrefix("worker-") || name.hasPrefix(".worker-")
                }
            guard isOldTool else { continue }
            sum.collect { try self.remove("\(self.home.tools)/\(name)", in: self.home.tools, as: .tools, into: &$0) }
        }
    }

    private func pruneVersions(into sum: inout PruneSum) throws {
        let folder = self.home.versions
        for name in try DiskTree.names(in: folder) where !Removal.isLeftover(name) {
            let isUnpacked = name.hasPrefix("check-")
            let paths =
                isUnpacked
                ? ["\(folder)/\(name)"]
                : try DiskTree.names(in: "\(folder)/\(name)").map { "\(folder)/\(name)/\($0)" }
            for path in paths { sum.collect { try self.remove(path, in: folder, as: .versions, into: &$0) } }
        }
    }

    /// Removes a folder that is old and has no lease on it.
    private func remove(
        _ path: String,
        in parent: String,
        as kind: PruneItem.Kind,
        into sum: inout PruneSum
    ) throws {
        guard self.isOlder(path, than: Self.youth), !FolderLock.isTaken(path) else { return }
        let use = try DiskTree.use(of: path)
        if !self.isDryRun { guard try Removal.take(path, into: parent) else { return } }
        sum.add(kind, use)
    }

    private func isOlder(_ path: String, than age: TimeInterval) -> Bool {
        guard let modified = DiskTree.modified(path) else { return false }
        return self.now.timeIntervalSince(modified) > age
    }

    /// What empties uv's cache; nil where no uv is there.
    private var cacheCommand: String? {
        let installed = (try? DiskTree.names(in: self.home.tools))?.filter { $0.hasPrefix("uv-") }
            .compactMap { ToolVersion($0.dropFirst(3)) }.max()
        let tool =
            self.variables["CORTEX_UV"]
            ?? (self.variables.executable("uv") != nil ? "uv" : installed.map { "\(self.home.tools)/uv-\($0)/uv" })
        guard let tool else { return nil }
        return "\(tool) cache clean" + (self.variables["UV_CACHE_DIR"].map { " --cache-dir \($0)" } ?? "")
    }
}

/// What a prune comes to as it goes on: an error ends one part of it, and is told.
struct PruneSum {
    private var byKind: [PruneItem.Kind: PruneItem] = [:]
    private(set) var problems: [String] = []

    var items: [PruneItem] { PruneItem.Kind.allCases.compactMap { self.byKind[$0] } }

    /// Runs one part.
    mutating func collect(_ part: (inout PruneSum) throws -> Void) {
        do {
            try part(&self)
        } catch {
            self.problems.append("\(error)")
        }
    }

    /// Counts one that went, with what that freed.
    mutating func add(_ kind: PruneItem.Kind, _ freed: DiskLedger.Freed) {
        self.byKind[kind, default: PruneItem(kind)].count += 1
        self.byKind[kind]?.bytes += freed.bytes
        self.byKind[kind]?.cachedBytes += freed.elsewhere
    }

    /// Counts one that went, with all that it took.
    mutating func add(_ kind: PruneItem.Kind, _ use: DiskUse) {
        var ledger = DiskLedger([use])
        self.add(kind, ledger.remove(use))
    }
}
