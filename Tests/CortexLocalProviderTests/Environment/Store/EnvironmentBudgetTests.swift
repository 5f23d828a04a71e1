import CortexControlPlane
import CortexSpec
import Foundation
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(1))) struct EnvironmentBudgetTests {
    private let sample: SampleStore

    init() throws { self.sample = try SampleStore() }

    private func apply(_ mebibytes: Int64, _ uses: EnvironmentUses = EnvironmentUses()) async throws -> Int64 {
        try await EnvironmentBudget(limit: .mebibytes(mebibytes), uses: { uses })
            .apply(to: self.sample.store)
    }

    @Test func `within the budget everything stays`() async throws {
        let key = try self.sample.add("a", kibibytes: 500)
        #expect(try await self.apply(1) < 1 << 20)
        #expect(try self.sample.environments == [key])
    }

    @Test func `the longest unused go first, and no more than must`() async throws {
        let keys = try (1...4).map { try self.sample.add("\($0)", kibibytes: 900, used: TimeInterval($0) * 100) }
        let left = try await self.apply(2)
        #expect(try self.sample.environments == Set(keys[..<2]))
        #expect(left > 1 << 20 && left <= 2 << 20)
    }

    @Test func `what is used stays, though it is old and over the budget`() async throws {
        let leased = try self.sample.add("leased", kibibytes: 900, used: 5000)
        let lease = self.sample.store.environment(SampleStore.key("leased"))
        try self.sample.setAge("environments/\(leased)", 5000)
        let wanted = try self.sample.add("wanted", kibibytes: 900, used: 4000)
        try self.sample.add("new", kibibytes: 900)
        #expect(try await self.apply(1, EnvironmentUses(current: [wanted])) > 1 << 20)
        #expect(try self.sample.environments == [leased, wanted])
        withExtendedLifetime(lease) {}
    }

    @Test func `those of earlier deployments go last`() async throws {
        let earlier = try self.sample.add("earlier", kibibytes: 900, used: 5000)
        try self.sample.add("new", kibibytes: 900)
        _ = try await self.apply(1, EnvironmentUses(history: [earlier]))
        #expect(try self.sample.environments == [earlier])
    }

    @Test func `files that two share count once`() async throws {
        let links = (1...20).map { "file\($0)" }
        try self.sample.add("a", links: links)
        try self.sample.add("b", links: links)
        // 20 files of 64 KiB, and a few folders: not twice that.
        #expect(try await self.apply(2) < 2 << 20)
        #expect(try self.sample.environments.count == 2)
    }
}
