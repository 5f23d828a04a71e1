import CortexControlPlane
import Foundation
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(1))) struct HomePruneTests {
    private let sample: SampleStore
    private var home: TemporaryFolder { self.sample.home }

    init() throws { self.sample = try SampleStore() }

    private func prune(
        keeping: Set<String> = [],
        isDryRun: Bool = false,
        _ variables: [String: String] = [:]
    ) -> PruneReport {
        HomePrune(
            home: CortexHome(path: self.home.path),
            environments: self.sample.store,
            variables: ProcessEnvironment(variables.merging(["PATH": "/none"]) { mine, _ in mine }),
            apis: ["iris"],
            isDryRun: isDryRun
        ).run(keeping: keeping)
    }

    private func all() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: self.home.path).sorted()
    }

    @Test func `environments that nobody needs go, with their logs`() throws {
        let kept = try self.sample.add("kept")
        let leased = try self.sample.add("leased")
        try self.sample.add("gone", kibibytes: 100)
        let lease = self.sample.store.environment(SampleStore.key("leased"))
        let report = self.prune(keeping: [kept])
        #expect(report.items.map(\.kind) == [.environments, .buildLogs])
        #expect(report.items.map(\.count) == [1, 1])
        #expect(report.items[0].bytes >= 100 << 10)
        #expect(report.problems == [])
        #expect(try self.sample.environments == [kept, leased])
        #expect(Set(try self.home.names(in: "logs/environments")) == ["\(kept).log", "\(leased).log"])
        withExtendedLifetime(lease) {}
    }

    @Test func `a dry run tells the same, and removes nothing`() throws {
        try self.sample.add("a", kibibytes: 10, links: ["shared", "alone"])
        try self.sample.add("b", kibibytes: 20, links: ["shared"])
        try self.home.write("environments/.removing-1/file", "x")
        try self.home.write("tools/worker-old/__main__.py", "x")
        try self.sample.setAge("tools/worker-old", 5000)
        let before = try self.all()
        let told = self.prune(isDryRun: true)
        #expect(try self.all() == before)
        var done = self.prune()
        #expect(done.items.map(\.kind) == [.environments, .buildLogs, .tools, .leftovers])
        done.isDryRun = true
        #expect(done == told)
        #expect(self.prune().items == [])
    }

    @Test func `what uv's cache has stays, and is told with what frees it`() throws {
        try self.sample.add("a", links: ["one", "two"])
        let report = self.prune(isDryRun: true, ["PATH": "\(self.home.path)/bin"])
        #expect(report.cachedBytes >= 128 << 10)
        #expect(report.bytes < 128 << 10)
        #expect(report.cacheCommand == nil)
        try self.home.write("tools/uv-0.9.1/uv", "", executable: true)
        #expect(self.prune(isDryRun: true).cacheCommand == "\(self.home.path)/tools/uv-0.9.1/uv cache clean")
        try self.home.write("bin/uv", "", executable: true)
        let variables = ["PATH": "\(self.home.path)/bin", "UV_CACHE_DIR": "/big/cache"]
        #expect(self.prune(isDryRun: true, variables).cacheCommand == "uv cache clean --cache-dir /big/cache")
        try FileManager.default.removeItem(atPath: "\(self.home.path)/cache")
        let alone = self.prune(isDryRun: true)
        #expect(alone.cachedBytes == 0 && alone.bytes >= 128 << 10)
        #expect(alone.cacheCommand == nil)
    }

    @Test func `of tools the newest uv and what is leased stay`() throws {
        for tool in ["uv-0.9.2", "uv-0.9.10", "uv-0.8.30", "worker-1", "worker-2", "worker-3", ".worker-4", "other"] {
            try self.home.write("tools/\(tool)/file", "x")
            try self.sample.setAge("tools/\(tool)", 5000)
        }
        let lease = FolderLease("\(self.home.path)/tools/worker-2")
        // Just unpacked: its lease may be about to be taken.
        try self.sample.setAge("tools/worker-3", 10)
        #expect(self.prune().items == [PruneItem(.tools, count: 4, bytes: try self.bytes(of: "tools/other") * 4)])
        #expect(try self.home.names(in: "tools") == ["other", "uv-0.9.10", "worker-2", "worker-3"])
        withExtendedLifetime(lease) {}
    }

    private func bytes(of path: String) throws -> Int64 { try DiskTree.use(of: "\(self.home.path)/\(path)").own }

    @Test func `folders that a version left go, those in use and new ones stay`() throws {
        for version in ["iris/1", "iris/2", "iris/3", "check-1"] {
            try self.home.write("versions/\(version)/project/predictor.py", "x")
            try self.sample.setAge("versions/\(version)", 5000)
        }
        let lease = FolderLease("\(self.home.path)/versions/iris/2")
        try self.sample.setAge("versions/iris/3", 1)
        #expect(self.prune().items.map(\.count) == [2])
        #expect(try self.home.names(in: "versions/iris") == ["2", "3"])
        #expect(try self.home.names(in: "versions") == ["iris"])
        withExtendedLifetime(lease) {}
    }

    @Test func `environments of another home are left to its server`() throws {
        let key = try self.sample.add("a")
        let borrower = HomePrune(
            home: CortexHome(path: "\(self.home.path)/dev/project"),
            environments: self.sample.store,
            variables: ProcessEnvironment([:]),
            apis: [],
            isDryRun: false
        )
        #expect(borrower.run(keeping: []) == PruneReport(isDryRun: false))
        #expect(try self.sample.environments == [key])
    }

    @Test func `the log of a build that failed stays for a day`() throws {
        try self.home.write("logs/environments/\(SampleStore.key("old")).log", "x")
        try self.home.write("logs/environments/\(SampleStore.key("new")).log", "x")
        try self.sample.setAge("logs/environments/\(SampleStore.key("old")).log", 25 * 3600)
        #expect(self.prune().items.map(\.kind) == [.buildLogs])
        #expect(try self.home.names(in: "logs/environments") == ["\(SampleStore.key("new")).log"])
    }

    @Test func `logs of deleted APIs go, once nobody may want to read them`() throws {
        for name in ["iris.log", "iris.log.1", "gone.log", "gone.log.1", "new.log"] {
            try self.home.write("logs/apis/\(name)", "x")
            try self.sample.setAge("logs/apis/\(name)", 5000)
        }
        try self.sample.setAge("logs/apis/new.log", 10)
        let report = self.prune()
        #expect(report.items.map(\.kind) == [.apiLogs] && report.items.map(\.count) == [2])
        #expect(try self.home.names(in: "logs/apis") == ["iris.log", "iris.log.1", "new.log"])
    }

    @Test func `what cannot be done is told, and the rest is done`() throws {
        try self.sample.add("a")
        let logs = "\(self.home.path)/logs/environments"
        try FileManager.default.removeItem(atPath: logs)
        try self.home.write("logs/environments", "no folder")
        let report = self.prune()
        #expect(report.items.map(\.kind) == [.environments])
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.hasPrefix("cannot list \(logs): ") == true)
        #expect(try self.sample.environments == [])
    }
}
