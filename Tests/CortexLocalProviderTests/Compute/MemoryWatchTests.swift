import CortexServing
import CortexSpec
import Synchronization
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(1))) struct MemoryWatchTests {
    private static let limit = ByteCount.mebibytes(512)

    private let processes = FakeProcesses()
    private let ended = EndedWorkers()

    final class EndedWorkers: Sendable {
        private let all = Mutex<[String]>([])
        var texts: [String] { self.all.withLock { $0 } }
        func add(_ text: String) { self.all.withLock { $0.append(text) } }
    }

    // Numbers that no process can have, since those of an ended worker are killed.
    private static let a = WorkerFamilies.Worker(name: "a", pid: .max - 1, projectDirectory: "/p")
    private static let b = WorkerFamilies.Worker(name: "b", pid: .max - 2, projectDirectory: "/p")
    private static let child: Int32 = .max - 3

    private func watch(_ workers: Set<WorkerFamilies.Worker>) async -> MemoryWatch {
        let watch = MemoryWatch(
            kernelKills: KernelKills(count: { nil }),
            sight: self.processes.sight,
            scale: self.processes.scale
        )
        let ended = self.ended
        await watch.add(
            "replica",
            MemoryWatch.Subject(limit: Self.limit, workers: { workers }, end: { ended.add("\($0) \($1)") })
        )
        return watch
    }

    private func set(_ worker: WorkerFamilies.Worker, _ resident: Int64, owned: Int64? = nil) {
        self.processes[worker.pid] = .init(
            session: worker.pid,
            resident: .mebibytes(resident),
            owned: owned.map { .mebibytes($0) }
        )
    }

    @Test func `a worker over the limit is ended, and told with its figures`() async {
        self.set(Self.a, 612)
        await self.watch([Self.a]).look()
        #expect(self.ended.texts == ["a used 612 MiB of 512 MiB (compute.mem) and was ended"])
    }

    @Test func `exactly the limit may be used, and is not measured further`() async {
        self.set(Self.a, 512)
        await self.watch([Self.a]).look()
        #expect(self.ended.texts == [])
        #expect(self.processes.takeMeasured() == [])
    }

    @Test func `what a worker has started counts as its own`() async {
        self.set(Self.a, 300)
        self.processes[Self.child] = .init(parent: Self.a.pid, session: Self.child, resident: .mebibytes(312))
        await self.watch([Self.a]).look()
        #expect(self.ended.texts == ["a used 612 MiB of 512 MiB (compute.mem) and was ended"])
    }

    @Test func `of several workers the largest is ended`() async {
        self.set(Self.a, 200)
        self.set(Self.b, 400)
        await self.watch([Self.a, Self.b]).look()
        let text = "b used 400 MiB of the 600 MiB of its replica, which may use 512 MiB (compute.mem), and was ended"
        #expect(self.ended.texts == [text])
    }

    @Test func `memory that forks share is not counted twice`() async {
        self.set(Self.a, 400, owned: 205)
        self.processes[Self.child] = .init(
            parent: Self.a.pid,
            session: Self.a.pid,
            resident: .mebibytes(400),
            owned: .mebibytes(205)
        )
        let watch = await self.watch([Self.a])
        await watch.look()
        #expect(self.ended.texts == [])
        #expect(self.processes.takeMeasured() == [Self.child, Self.a.pid])
    }

    @Test func `one that was taken out is not looked at`() async {
        self.set(Self.a, 612)
        let watch = await self.watch([Self.a])
        await watch.remove("replica")
        await watch.look()
        #expect(self.ended.texts == [])
        #expect(self.processes.takeAsked() == [])
    }

    @Test func `one replica can be looked at alone`() async {
        self.set(Self.a, 612)
        self.set(Self.b, 612)
        let watch = await self.watch([Self.a])
        let ended = self.ended
        await watch.add(
            "other",
            MemoryWatch.Subject(limit: Self.limit, workers: { [Self.b] }, end: { worker, _ in ended.add(worker) })
        )
        await watch.look(at: "other")
        #expect(self.ended.texts == ["b"])
    }

    @Test func `figures for metrics need no limit`() async throws {
        self.set(Self.a, 100)
        self.set(Self.b, 50)
        let watch = MemoryWatch(
            kernelKills: KernelKills(count: { nil }),
            sight: self.processes.sight,
            scale: self.processes.scale
        )
        let (x, y) = (try #require(APIName("x")), try #require(APIName("y")))
        let found = await watch.resident(of: [(x, [Self.a, Self.b]), (y, [])])
        #expect(found.map(\.bytes) == [.mebibytes(150), ByteCount(0)])
    }
}
