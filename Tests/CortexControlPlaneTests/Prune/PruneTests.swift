import CortexControlPlane
import CortexSpec
import Foundation
import Logging
import Testing

/// Which projects and environments the deployments keep.
@Suite(.timeLimit(.minutes(1))) struct PruneTests {
    private let folder: TemporaryHome
    private let store: StateStore
    private let projects: ProjectStore
    private let provider = FakeProvider()
    private let reconciler: Reconciler

    init() throws {
        self.folder = try TemporaryHome()
        self.store = try StateStore(home: self.folder.home)
        self.projects = try ProjectStore(folder: self.folder.home.projects)
        self.reconciler = Reconciler(store: self.store, provider: self.provider, logger: Logger(label: "test"))
    }

    private static func hash(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 64 - digits.count) + digits
    }

    private func path(_ number: Int) -> String { "\(self.folder.home.projects)/\(Self.hash(number)).tar" }

    /// Stores a project; which archive it is does not matter here.
    private func upload(_ number: Int, age: TimeInterval = 0) throws {
        try Data(repeating: 7, count: 5000).write(to: URL(filePath: self.path(number)))
        let date = Date(timeIntervalSinceNow: -age)
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: self.path(number))
    }

    /// Deploys the project of that number, uploaded now; the version is what comes of it.
    private func deploy(
        _ api: String,
        _ project: Int,
        _ outcome: ProviderEvent.Kind? = .live,
        environment: String? = nil
    ) async throws {
        try self.upload(project)
        let results = try await self.reconciler.deploy(
            DeployRequest(
                // Another number of threads makes each of them an update.
                specs: [try .named(api, threads: project)],
                project: Self.hash(project),
                config: "",
                configFile: "cortex.yaml",
                force: true,
                deployedBy: "ci"
            )
        )
        let version = try #require(results.first?.wanted?.deployment.version)
        let name = try APIName.of(api)
        if let environment {
            try await self.store.record(
                ProviderEvent(api: name, version: version, kind: .progress, message: "", environment: environment)
            )
        }
        guard let outcome else { return }
        try await self.store.record(ProviderEvent(api: name, version: version, kind: outcome, message: ""))
    }

    private func stored() throws -> [Int] {
        try FileManager.default.contentsOfDirectory(atPath: self.folder.home.projects)
            .compactMap { $0.hasSuffix(".tar") ? Int($0.dropLast(4), radix: 16) : nil }
            .sorted()
    }

    @discardableResult
    private func prune(isDryRun: Bool = false, all: Bool = false) async throws -> PruneReport {
        try await self.reconciler.prune(self.projects, isDryRun: isDryRun, isThorough: all)
    }

    // MARK: Projects

    @Test func `the projects of the last ten deployments stay`() async throws {
        for number in 1...13 { try await self.deploy("iris", number) }
        let report = try await self.prune()
        #expect(try self.stored() == Array(4...13))
        #expect(report.items.map(\.kind) == [.projects])
        #expect(report.items.map(\.count) == [3])
        // On disk they take whole blocks.
        #expect(report.bytes >= 15_000)
        #expect(try await self.prune().items == [])
    }

    @Test func `what is deployed again and again counts once`() async throws {
        try await self.deploy("iris", 1)
        try await self.deploy("iris", 2)
        for _ in 1...12 { _ = try await self.reconciler.refresh(try .of("iris"), force: true, by: "ci") }
        try await self.prune()
        #expect(try self.stored() == [1, 2])
    }

    @Test func `there is no way back to a project that is gone`() async throws {
        for number in 1...13 { try await self.deploy("iris", number) }
        try await self.prune()
        let name = try APIName.of("iris")
        let refusal = await #expect(throws: RollbackError.self) {
            try await self.reconciler.rollback(name, to: "3", from: self.projects, by: "ci")
        }
        #expect(refusal == .pruned(name, 3, stored: Array((4...13).reversed())))
        #expect(try await self.store.wanted(name)?.deployment.version == 13)
        let done = try await self.reconciler.rollback(name, to: "4", from: self.projects, by: "ci")
        #expect(done?.wanted.deployment.version == 14)
    }

    @Test func `a dry run counts, and removes nothing`() async throws {
        for number in 1...13 { try await self.deploy("iris", number) }
        let told = try await self.prune(isDryRun: true)
        #expect(told.isDryRun)
        #expect(try self.stored() == Array(1...13))
        #expect(try await self.prune().items == told.items)
    }

    @Test func `what was live stays, though many failed after it`() async throws {
        for number in 1...4 { try await self.deploy("iris", number) }
        for number in 5...20 { try await self.deploy("iris", number, .failed) }
        try await self.prune()
        // The last three that were live, the first of which serves; and the last ten.
        #expect(try self.stored() == Array(2...4) + Array(11...20))
    }

    @Test func `a deleted API keeps nothing, and a new life of it only what is new`() async throws {
        try await self.deploy("iris", 1)
        try await self.deploy("text", 2)
        #expect(try await self.reconciler.delete(try .of("iris"), by: "ci"))
        try await self.prune()
        #expect(try self.stored() == [2])
        try await self.deploy("iris", 3)
        try self.upload(1, age: 4000)
        try await self.prune()
        #expect(try self.stored() == [2, 3])
    }

    @Test func `a project that two APIs share stays for the one that is left`() async throws {
        try await self.deploy("iris", 1)
        try await self.deploy("text", 1)
        #expect(try await self.reconciler.delete(try .of("iris"), by: "ci"))
        try await self.prune()
        #expect(try self.stored() == [1])
    }

    @Test func `a project that is about to be deployed stays, for an hour`() async throws {
        try self.upload(1)
        try self.upload(2, age: 3700)
        try await self.deploy("iris", 3)
        #expect(try await self.reconciler.delete(try .of("iris"), by: "ci"))
        try await self.prune()
        #expect(try self.stored() == [1])
        // Deployed before, and asked for once more.
        try await self.deploy("iris", 1)
        #expect(try await self.reconciler.delete(try .of("iris"), by: "ci"))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -500)],
            ofItemAtPath: self.path(1)
        )
        let hash = try #require(ProjectHash(Self.hash(1)))
        #expect(try await self.projects.hold(hash))
        try await self.prune()
        #expect(try self.stored() == [1])
        #expect(try await !self.projects.hold(#require(ProjectHash(Self.hash(2)))))
    }

    @Test func `what is not a project is left alone`() async throws {
        let stray = "\(self.folder.home.projects)/notes.tar"
        try Data("x".utf8).write(to: URL(filePath: stray))
        try await self.prune()
        #expect(FileManager.default.fileExists(atPath: stray))
    }

    // MARK: Environments

    @Test func `environments of what is deployed are told from those of its history`() async throws {
        for number in 1...5 { try await self.deploy("iris", number, environment: "e\(number)") }
        try await self.deploy("text", 6, environment: "t")
        try await self.deploy("gone", 7, environment: "g")
        #expect(try await self.reconciler.delete(try .of("gone"), by: "ci"))
        #expect(
            try await self.store.environmentUses()
                == EnvironmentUses(current: ["e5", "t"], history: ["e4", "e3"])
        )
    }

    @Test func `what a home needs can be read beside its server, and without one`() async throws {
        for number in 1...2 { try await self.deploy("iris", number, environment: "e\(number)") }
        let uses = EnvironmentUses(current: ["e2"], history: ["e1"])
        #expect(try await StateStore.environmentUses(of: self.folder.home) == uses)
        try self.store.end()
        #expect(try await StateStore.environmentUses(of: self.folder.home) == uses)
        let empty = try TemporaryHome()
        #expect(try await StateStore.environmentUses(of: empty.home) == EnvironmentUses())
        #expect(try FileManager.default.contentsOfDirectory(atPath: empty.home.state) == [])
        let both = uses.union(EnvironmentUses(current: ["x"], history: ["e2"]))
        #expect(both == EnvironmentUses(current: ["e2", "x"], history: ["e1", "e2"]))
    }

    @Test func `what serves is needed beside what is to take over, failed or not`() async throws {
        try await self.deploy("iris", 1, environment: "old")
        try await self.deploy("iris", 2, environment: "live")
        try await self.deploy("iris", 3, .failed, environment: "failed")
        #expect(
            try await self.store.environmentUses() == EnvironmentUses(current: ["live", "failed"], history: ["old"])
        )
        try await self.deploy("iris", 4, nil, environment: "pending")
        #expect(
            try await self.store.environmentUses() == EnvironmentUses(current: ["live", "pending"], history: ["old"])
        )
    }

    @Test func `the provider is told what to keep, without the history where all is to go`() async throws {
        for number in 1...2 { try await self.deploy("iris", number, environment: "e\(number)") }
        self.provider.willPrune(
            PruneReport(
                isDryRun: false,
                items: [
                    PruneItem(.leftovers, count: 1, bytes: 1),
                    PruneItem(.environments, count: 2, bytes: 10, cachedBytes: 5),
                ],
                problems: ["no"],
                cacheCommand: "uv cache clean"
            )
        )
        try self.upload(9, age: 4000)
        let report = try await self.prune()
        #expect(report.items.map(\.kind) == [.environments, .projects, .leftovers])
        #expect(report.bytes == 11 + report.items[1].bytes)
        #expect(report.cachedBytes == 5)
        #expect(report.problems == ["no"])
        #expect(report.cacheCommand == "uv cache clean")
        try await self.prune(isDryRun: true, all: true)
        #expect(
            self.provider.calls.suffix(2) == [
                .prune(isDryRun: false, keeping: ["e1", "e2"]), .prune(isDryRun: true, keeping: ["e2"]),
            ]
        )
    }

    @Test func `a report is the same after its way as JSON, which has the sums`() throws {
        let report = PruneReport(
            isDryRun: true,
            items: [PruneItem(.environments, count: 2, bytes: 10, cachedBytes: 5), PruneItem(.projects)],
            cacheCommand: "uv cache clean"
        )
        #expect(report.items.count == 1)
        let data = try StateJSON.encoder().encode(report)
        #expect(try StateJSON.decoder().decode(PruneReport.self, from: data) == report)
        let text = String(decoding: data, as: UTF8.self)
        #expect(text.contains(#""bytes":10,"cache_command":"uv cache clean","cached_bytes":5,"dry_run":true"#))
    }
}
