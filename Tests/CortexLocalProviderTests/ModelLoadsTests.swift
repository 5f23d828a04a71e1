import Testing

@testable import CortexLocalProvider

@Suite struct ModelLoadsTests {
    private let poison = ModelLoads.Key(model: "iris", version: "2", generation: "a")
    private let good = ModelLoads.Key(model: "iris", version: "1", generation: "a")

    @Test func `a content whose load ends workers twice is left alone`() {
        var loads = ModelLoads()
        loads.began(self.poison, in: "w", at: .now)
        #expect(loads.workerEnded("w") == [])
        loads.began(self.good, in: "w", at: .now)
        loads.ended(self.good, in: "w", isLoaded: true)
        loads.began(self.poison, in: "w", at: .now)
        #expect(loads.workerEnded("w") == [self.poison])
        // Told once.
        loads.began(self.poison, in: "w", at: .now)
        #expect(loads.workerEnded("w") == [])
    }

    @Test func `a load that succeeds in between takes the suspicion away`() {
        var loads = ModelLoads()
        loads.began(self.poison, in: "a", at: .now)
        #expect(loads.workerEnded("a") == [])
        loads.began(self.poison, in: "b", at: .now)
        loads.ended(self.poison, in: "b", isLoaded: true)
        loads.began(self.poison, in: "a", at: .now)
        #expect(loads.workerEnded("a") == [])
    }

    @Test func `a load that fails, or has ended, is not what ends a worker`() {
        var loads = ModelLoads()
        for _ in 0..<3 {
            loads.began(self.poison, in: "w", at: .now)
            loads.ended(self.poison, in: "w", isLoaded: false)
            #expect(loads.workerEnded("w") == [])
        }
    }

    @Test func `other content of the version is another matter`() {
        var loads = ModelLoads()
        for _ in 0..<2 {
            loads.began(self.poison, in: "w", at: .now)
            _ = loads.workerEnded("w")
        }
        loads.began(ModelLoads.Key(model: "iris", version: "2", generation: "b"), in: "w", at: .now)
        #expect(loads.workerEnded("w") == [])
    }

    @Test func `the oldest load of a version tells since when it is loaded`() {
        var loads = ModelLoads()
        let start = ContinuousClock.now
        loads.began(self.poison, in: "b", at: start + .seconds(1))
        loads.began(self.poison, in: "a", at: start)
        #expect(loads.start(of: "iris", version: "2") == start)
        #expect(loads.start(of: "iris", version: "1") == nil)
    }
}
