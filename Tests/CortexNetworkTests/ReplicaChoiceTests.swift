import NIOCore
import Testing

@testable import CortexNetwork

@Suite struct ReplicaChoiceTests {
    private let now = NIODeadline.now()

    private func replicas(_ count: Int) throws -> [ReplicaEndpoint] {
        try (0..<count).map { ReplicaEndpoint(address: try SocketAddress(ipAddress: "127.0.0.1", port: 8000 + $0)) }
    }

    @Test func `spreads requests so that no replica is far ahead of the others`() throws {
        let replicas = try self.replicas(10)
        var choice = ReplicaChoice()
        for _ in 0..<1000 { _ = choice.take(of: replicas, except: [], limit: .max) }
        #expect(replicas.map(\.inFlight).reduce(0, +) == 1000)
        // Drawn at random alone, the fullest of ten would have some 120.
        #expect(replicas.allSatisfy { (90...110).contains($0.inFlight) })
    }

    @Test func `the one with less to do is taken of two`() throws {
        let replicas = try self.replicas(2)
        for _ in 0..<5 { _ = replicas[0].enter(limit: .max) }
        var choice = ReplicaChoice()
        for _ in 0..<5 {
            let index = choice.take(of: replicas, except: [], limit: .max)
            #expect(index == 1)
        }
    }

    @Test func `no replica gets more than it bears, and all of them are filled`() throws {
        let replicas = try self.replicas(7)
        var choice = ReplicaChoice()
        for _ in 0..<21 { _ = choice.take(of: replicas, except: [], limit: 3) }
        #expect(replicas.map(\.inFlight) == Array(repeating: 3, count: 7))
        let none = choice.take(of: replicas, except: [], limit: 3)
        #expect(none == nil)
        replicas[4].leave()
        let freed = choice.take(of: replicas, except: [], limit: 3)
        #expect(freed == 4)
    }

    @Test func `those that have failed come last, and those that have failed the request not at all`() throws {
        let replicas = try self.replicas(3)
        replicas[0].failed(at: self.now)
        var choice = ReplicaChoice()
        for _ in 0..<20 {
            let index = choice.take(of: replicas, except: [], limit: .max)
            #expect(index == 1 || index == 2)
        }
        let last = choice.take(of: replicas, except: [replicas[1], replicas[2]], limit: .max)
        #expect(last == 0)
        let none = choice.take(of: replicas, except: replicas, limit: .max)
        #expect(none == nil)
    }

    @Test func `of many replicas the one to try out is told, and is not taken`() throws {
        let replicas = try self.replicas(2)
        replicas[0].failed(at: self.now)
        var choice = ReplicaChoice()
        var avoided: [Int] = []
        for _ in 0..<5 {
            let index = choice.take(of: replicas, except: [], limit: .max) { avoided.append($0) }
            #expect(index == 1)
        }
        #expect(Set(avoided) == [0])
    }

    @Test func `a replica that failed is tried out once after each pause`() throws {
        let replica = try self.replicas(1)[0]
        #expect(!replica.beginsTrial(at: self.now, limit: .seconds(2)))
        replica.failed(at: self.now)
        #expect(!replica.beginsTrial(at: self.now + .milliseconds(99), limit: .seconds(2)))
        #expect(replica.beginsTrial(at: self.now + .milliseconds(100), limit: .seconds(2)))
        #expect(!replica.beginsTrial(at: self.now + .milliseconds(2099), limit: .seconds(2)))
        // Nothing was heard of that trial.
        #expect(replica.beginsTrial(at: self.now + .milliseconds(2100), limit: .seconds(2)))
        #expect(replica.isAvoided)
        replica.wasReached()
        #expect(!replica.isAvoided)
        #expect(!replica.beginsTrial(at: self.now + .seconds(9), limit: .seconds(2)))
    }

    @Test func `a replica that cannot be reached is left alone longer each time, until it answers`() throws {
        let replica = try self.replicas(1)[0]
        // Many at once are one failure.
        for _ in 0..<20 { replica.failed(at: self.now) }
        #expect(replica.beginsTrial(at: self.now + .milliseconds(100), limit: .seconds(2)))
        for _ in 0..<20 { replica.wasNotReached(at: self.now) }
        #expect(!replica.beginsTrial(at: self.now + .milliseconds(3199), limit: .seconds(2)))
        #expect(replica.beginsTrial(at: self.now + .milliseconds(3200), limit: .seconds(2)))
        // A connection is no answer yet.
        replica.wasReached()
        replica.failed(at: self.now)
        #expect(!replica.beginsTrial(at: self.now + .milliseconds(3199), limit: .seconds(2)))
        replica.answered()
        #expect(!replica.isAvoided)
        replica.failed(at: self.now)
        #expect(replica.beginsTrial(at: self.now + .milliseconds(100), limit: .seconds(2)))
    }
}
