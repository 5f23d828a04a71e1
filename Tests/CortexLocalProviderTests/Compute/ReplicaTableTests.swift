import CortexSpec
import Testing

@testable import CortexLocalProvider

@Suite struct ReplicaTableTests {
    private var table = ReplicaTable(capacity: MachineCapacity(processors: 4, memory: ByteCount(8 << 30)))

    private func name(_ text: String) throws -> APIName { try #require(APIName(text)) }

    @Test mutating func `what asks for nothing is not counted`() throws {
        #expect(self.table.take(50, of: ComputeSpec(), for: try self.name("a")) == .init(count: 50))
        #expect(self.table.take(4, of: ComputeSpec(cpu: "1"), for: try self.name("b")) == .init(count: 4))
    }

    @Test mutating func `the first has room whatever it asks for`() throws {
        #expect(self.table.take(1, of: ComputeSpec(cpu: "16", mem: "64Gi"), for: try self.name("a")) == .init(count: 1))
        #expect(self.table.take(1, of: ComputeSpec(cpu: "1"), for: try self.name("b")) == .init(count: 1))
        #expect(self.table.take(2, of: ComputeSpec(cpu: "1"), for: try self.name("b")).count == 1)
    }

    @Test mutating func `further ones have to fit beside what is there, and it is told what they lack`() throws {
        _ = self.table.take(1, of: ComputeSpec(cpu: "1500m"), for: try self.name("a"))
        let grant = self.table.take(5, of: ComputeSpec(cpu: "1"), for: try self.name("b"))
        let shortage =
            "there is room for 2 of 5 replicas: each asks for 1 CPU (compute.cpu), and the machine has 4; a hold part of it"
        #expect(grant == .init(count: 2, shortage: shortage))
        // What one has does not count against it.
        #expect(self.table.take(2, of: ComputeSpec(cpu: "1"), for: try self.name("b")) == .init(count: 2))
        self.table.release(try self.name("a"))
        #expect(self.table.take(5, of: ComputeSpec(cpu: "1"), for: try self.name("b")).count == 4)
    }

    @Test mutating func `memory counts as processors do`() throws {
        let grant = self.table.take(4, of: ComputeSpec(cpu: "100m", mem: "3Gi"), for: try self.name("a"))
        let shortage =
            "there is room for 2 of 4 replicas: each asks for 3Gi of memory (compute.mem), and the machine has 8192 MiB"
        #expect(grant == .init(count: 2, shortage: shortage))
    }

    @Test(arguments: [(nil, 1, 4), (nil, 3, 1), ("500m", 1, 8), ("500m", 4, 8), ("8", 1, 1)] as [(String?, Int, Int)])
    func `a process is worth a processor where nobody says otherwise`(cpu: String?, processes: Int, most: Int) throws {
        var spec = APISpec(
            name: try self.name("a"),
            predictor: PredictorSpec(path: "predictor.py"),
            networking: NetworkingSpec(endpoint: "/a")
        )
        spec.compute.cpu = cpu
        spec.predictor.processesPerReplica = processes
        #expect(MachineCapacity(processors: 4).mostReplicas(of: spec) == most)
    }
}
