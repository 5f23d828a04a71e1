import CortexServing
import CortexSpec
import Synchronization

@testable import CortexLocalProvider

/// Processes that a test makes up.
final class FakeProcesses: Sendable {
    struct Process {
        var parent: Int32 = 1
        var session: Int32
        var environment = ""
        var isEnding = false
        var resident = ByteCount(0)
        /// Nil where it shares nothing.
        var owned: ByteCount?
    }

    private let processes = Mutex<[Int32: Process]>([:])
    /// Processes that were asked about, each as often as it was.
    private let asked = Mutex<[Int32]>([])
    private let measured = Mutex<[Int32]>([])

    subscript(pid: Int32) -> Process? {
        get { self.processes.withLock { $0[pid] } }
        set { self.processes.withLock { $0[pid] = newValue } }
    }

    /// The processes that were looked at since the last call, in order.
    func takeAsked() -> [Int32] {
        self.asked.withLock { asked in
            defer { asked = [] }
            return asked.sorted()
        }
    }

    /// The processes that were measured exactly since the last call, in order.
    func takeMeasured() -> [Int32] {
        self.measured.withLock { measured in
            defer { measured = [] }
            return measured.sorted()
        }
    }

    var sight: WorkerFamilies.Sight {
        WorkerFamilies.Sight(
            processes: { self.processes.withLock { $0.keys.sorted() } },
            stat: { pid in
                self.asked.withLock { $0.append(pid) }
                guard let process = self[pid] else { return nil }
                let flags = process.isEnding ? 4 : 0
                let text = "\(pid) (x) S \(process.parent) \(pid) \(process.session) 0 -1 \(flags) 0 0"
                return ProcessStat(Array(text.utf8))
            },
            environment: { self[$0].map { Array($0.environment.utf8) } }
        )
    }

    var scale: MemoryWatch.Scale {
        MemoryWatch.Scale(
            resident: { self[$0]?.resident ?? ByteCount(0) },
            owned: { pid in
                self.measured.withLock { $0.append(pid) }
                return self[pid].map { $0.owned ?? $0.resident } ?? ByteCount(0)
            }
        )
    }
}
