import Testing

@testable import CortexServing

@Suite(.timeLimit(.minutes(1))) struct ModelTallyTests {
    @Test func `the sum has what every worker answers`() async {
        let tally = ModelTally()
        let total = await tally.total(of: ["a", "b"], within: .seconds(30)) { worker in
            await tally.counted(ModelCounts(hits: worker == "a" ? 3 : 4, misses: 1), by: worker)
            return true
        }
        #expect(total == ModelCounts(hits: 7, misses: 2))
    }

    @Test func `a worker that is not there is not waited for`() async {
        let tally = ModelTally()
        let total = await tally.total(of: ["a", "b"], within: .seconds(30)) { worker in
            guard worker == "a" else { return false }
            await tally.counted(ModelCounts(hits: 3, misses: 0), by: worker)
            return true
        }
        #expect(total == ModelCounts(hits: 3, misses: 0))
    }

    @Test func `what a worker counted stays when it ends`() async {
        let tally = ModelTally()
        await tally.counted(ModelCounts(hits: 3, misses: 1), by: "a")
        await tally.ended("a")
        // Its successor of the same name counts from nothing.
        await tally.counted(ModelCounts(hits: 2, misses: 1), by: "a")
        #expect(
            await tally.total(of: [String](), within: .seconds(30)) { _ in true } == ModelCounts(hits: 5, misses: 2)
        )
    }

    @Test func `one that ends while it is asked is not waited for`() async {
        let tally = ModelTally()
        await tally.counted(ModelCounts(hits: 3, misses: 1), by: "a")
        let total = await tally.total(of: ["a"], within: .seconds(30)) { worker in
            await tally.ended(worker)
            return true
        }
        #expect(total == ModelCounts(hits: 3, misses: 1))
    }

    @Test func `who says nothing counts with what it said last`() async {
        let tally = ModelTally()
        await tally.counted(ModelCounts(hits: 3, misses: 1), by: "a")
        #expect(await tally.total(of: ["a"], within: .milliseconds(1)) { _ in true } == ModelCounts(hits: 3, misses: 1))
    }
}
