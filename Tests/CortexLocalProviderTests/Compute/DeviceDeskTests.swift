import CortexSpec
import Foundation
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(1))) struct DeviceDeskTests {
    /// A desk of a machine with that many GPUs.
    private func withDesk(_ count: Int, _ body: (DeviceDesk) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "desk-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for number in 0..<count { try Data().write(to: folder.appending(path: "nvidia\(number)")) }
        let path = folder.path(percentEncoded: false)
        try await body(DeviceDesk(inventory: DeviceInventory(environment: ["PATH": path], folder: path)))
    }

    private func owner(_ api: String) throws -> DeviceTable.Owner {
        DeviceTable.Owner(deployment: api, replica: 0, api: try #require(APIName(api)))
    }

    @Test func `who waits is told why, and has them once they are free`() async throws {
        try await self.withDesk(1) { desk in
            let (a, b) = (try self.owner("a"), try self.owner("b"))
            let first = try await desk.take(1, .gpu, for: a) { Issue.record("\($0)") }
            #expect(first.devices == ["0"])
            let (reasons, reason) = AsyncStream.makeStream(of: String.self)
            async let second = desk.take(1, .gpu, for: b) { reason.yield($0) }
            for await text in reasons {
                #expect(text.contains("GPU 0 by a"))
                break
            }
            await desk.release(a)
            #expect(try await second == DeviceGrant(kind: .gpu, devices: ["0"]))
        }
    }

    @Test func `who no longer wants them stops waiting`() async throws {
        try await self.withDesk(1) { desk in
            _ = try await desk.take(1, .gpu, for: try self.owner("a")) { Issue.record("\($0)") }
            let (reasons, reason) = AsyncStream.makeStream(of: String.self)
            let b = try self.owner("b")
            let waiting = Task { try await desk.take(1, .gpu, for: b) { reason.yield($0) } }
            for await _ in reasons { break }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
        }
    }

    @Test func `more than the machine has is refused`() async throws {
        try await self.withDesk(1) { desk in
            let error = await #expect(throws: DeviceError.self) {
                try await desk.take(2, .gpu, for: try self.owner("a")) { Issue.record("\($0)") }
            }
            #expect(error?.description == "compute.gpu: asks for 2 GPUs, and this machine has 1")
            #expect(error?.allowed == "it may be at most 1")
        }
    }
}
