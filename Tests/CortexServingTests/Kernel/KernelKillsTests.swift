import Synchronization
import Testing

@testable import CortexServing

@Suite struct KernelKillsTests {
    private let start = ContinuousClock.now

    private func marks(_ seen: [(second: Int, count: Int)]) -> KernelKills.Marks {
        var marks = KernelKills.Marks()
        for (second, count) in seen { marks.add(count, at: self.start + .seconds(second)) }
        return marks
    }

    @Test(
        arguments: [
            // Nothing was killed since the worker started.
            ([(0, 3)], 60, 3, false),
            ([(0, 3)], 60, 4, true),
            // Looked at between the kill and the notice of it.
            ([(0, 3), (60, 4)], 61, 4, true),
            // Another's, long before.
            ([(0, 3), (30, 4), (60, 4)], 61, 4, false),
            ([(0, 3), (30, 4), (60, 4)], 61, 5, true),
            // The worker started a moment ago, and is the first.
            ([(0, 0)], 1, 1, true),
            // The kernel counts for another group now.
            ([(0, 9), (30, 0)], 60, 0, false),
            ([(0, 9), (30, 0)], 60, 1, true),
            ([], 60, 5, false),
        ] as [([(second: Int, count: Int)], Int, Int, Bool)]
    )
    func `a kill explains an end if it was of late`(
        seen: [(second: Int, count: Int)],
        second: Int,
        count: Int,
        isExplained: Bool
    ) {
        var marks = self.marks(seen)
        #expect(marks.explain(count, at: self.start + .seconds(second)) == isExplained)
    }

    @Test func `one kill explains one end`() {
        var marks = self.marks([(0, 0)])
        let now = self.start + .seconds(60)
        let first = marks.explain(2, at: now)
        marks.add(2, at: now)
        let others = [2, 2, 3, 3].map { marks.explain($0, at: now) }
        #expect([first] + others == [true, true, false, true, false])
    }

    @Test func `where the kernel does not count nothing is explained`() {
        let kills = KernelKills(count: { nil })
        kills.mark()
        #expect(!kills.explainsExit())
    }

    @Test func `the count is that of kills since the last look`() {
        let count = Mutex(7)
        let kills = KernelKills(count: { count.withLock { $0 } })
        kills.mark()
        #expect(!kills.explainsExit())
        count.withLock { $0 = 8 }
        #expect(kills.explainsExit())
        #expect(!kills.explainsExit())
    }

    @Test(
        arguments: [
            ("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0", 2),
            ("oom_kill_disable 0\nunder_oom 0\noom_kill 5", 5),
            ("nr_free_pages 1\noom_kill 0\nunevictable_pgs_culled 4", 0), ("oom_kill_disable 0", nil), ("", nil),
        ] as [(String, Int?)]
    )
    func `the count stands in files of three kinds`(text: String, count: Int?) {
        #expect(KernelKills.count(in: text) == count)
    }
}
