import CortexSpec
import Testing

@testable import CortexLocalProvider

@Suite struct DeviceTableTests {
    private var table = DeviceTable(kind: .gpu)

    init() {
        self.table.devices = ["0", "1", "2"]
    }

    private func owner(
        _ api: String,
        _ deployment: String = "1",
        replica: Int = 0
    ) throws -> DeviceTable.Owner {
        DeviceTable.Owner(deployment: "\(api)-\(deployment)", replica: replica, api: try #require(APIName(api)))
    }

    @Test func `APIs get devices of their own, in order`() throws {
        var table = self.table
        #expect(table.request(1, by: try self.owner("a")) == .granted(["0"]))
        #expect(table.request(2, by: try self.owner("b")) == .granted(["1", "2"]))
    }

    @Test func `replicas of a version have devices of their own, and so have those of the next one`() throws {
        var table = self.table
        #expect(table.request(1, by: try self.owner("a")) == .granted(["0"]))
        #expect(table.request(1, by: try self.owner("a", replica: 1)) == .granted(["1"]))
        #expect(table.request(1, by: try self.owner("a", "2")) == .granted(["2"]))
        // The predecessor's, but not that of the replica beside it.
        #expect(table.request(1, by: try self.owner("a", "2", replica: 1)) == .granted(["0"]))
        #expect(table.request(1, by: try self.owner("a", "2", replica: 2)) == .granted(["1"]))
        if case .held = table.request(1, by: try self.owner("a", "2", replica: 3)) {
        } else {
            Issue.record("all are taken")
        }
    }

    @Test func `a new version has free devices rather than its predecessor's`() throws {
        var table = self.table
        _ = table.request(1, by: try self.owner("a"))
        #expect(table.request(1, by: try self.owner("a", "2")) == .granted(["1"]))
    }

    @Test func `a new version that finds too few free takes over its predecessor's`() throws {
        var table = self.table
        _ = table.request(2, by: try self.owner("a"))
        #expect(table.request(2, by: try self.owner("a", "2")) == .granted(["0", "2"]))
        // The old one goes; what both had stays the new one's.
        table.release(try self.owner("a"))
        #expect(table.request(1, by: try self.owner("b")) == .granted(["1"]))
        let reason =
            "it needs 1 GPU (compute.gpu) and none is free: held are GPU 0, GPU 2 by a; GPU 1 by b; it starts when they "
            + "are free"
        #expect(table.request(1, by: try self.owner("c")) == .held(reason: reason))
    }

    @Test func `what others hold is waited for, and says who holds it`() throws {
        var table = self.table
        _ = table.request(2, by: try self.owner("a"))
        let reason =
            "it needs 2 GPUs (compute.gpu) and 1 of 3 can be had: held are GPU 0, GPU 1 by a; it starts when they are free"
        #expect(table.request(2, by: try self.owner("b")) == .held(reason: reason))
        // Asking is not having.
        #expect(table.request(1, by: try self.owner("c")) == .granted(["2"]))
        table.release(try self.owner("a"))
        #expect(table.request(2, by: try self.owner("b")) == .granted(["0", "1"]))
    }

    @Test func `a predecessor's devices that an other API has by now are not taken`() throws {
        var table = self.table
        _ = table.request(3, by: try self.owner("a"))
        table.devices = ["0", "1", "2", "3"]
        _ = table.request(1, by: try self.owner("b"))
        #expect(table.request(3, by: try self.owner("a", "2")) == .granted(["0", "1", "2"]))
        if case .held = table.request(4, by: try self.owner("a", "2")) {} else { Issue.record("b has one of the four") }
    }

    @Test func `more than there are cannot be waited for`() throws {
        var table = self.table
        #expect(table.request(4, by: try self.owner("a")) == .tooFew)
        #expect(table.request(3, by: try self.owner("a")) == .granted(["0", "1", "2"]))
    }

    @Test func `whoever asks again keeps what is enough`() throws {
        var table = self.table
        _ = table.request(3, by: try self.owner("a"))
        #expect(table.request(2, by: try self.owner("a")) == .granted(["0", "1"]))
        #expect(table.request(1, by: try self.owner("b")) == .granted(["2"]))
    }
}
