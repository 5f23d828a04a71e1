import CortexTelemetry
import NIOCore
import Synchronization
import Testing

#if os(Linux)
@Suite(.serialized)
struct LogSpaceTests {
    @Test
    func `a disk that is full is told once`() async {
        let told = Mutex<[LogSpace.Change]>([])
        LogSpace.observe { change in
            guard case .failed(path: "/dev/full", _) = change else { return }
            told.withLock { $0.append(change) }
        }
        defer { LogSpace.observe(nil) }
        let file = RotatingFile(path: "/dev/full")
        for _ in 0..<3 { await file.append(ByteBuffer(string: "line\n")) }
        #expect(told.withLock(\.self) == [.failed(path: "/dev/full", reason: "No space left on device")])
        #expect(await file.lost == 15)
    }
}
#endif
