import CortexServing
import Foundation
import Testing

@testable import CortexLocalProvider

@Suite struct ModelMemoryTests {
    private func message(
        _ event: String,
        _ version: Int,
        _ generation: String,
        _ reason: String? = nil
    ) throws -> ModelMessage {
        let why = reason.map { #", "reason": "\#($0)""# } ?? ""
        let json =
            #"{"event": "\#(event)", "model": "iris", "version": "\#(version)", "generation": "\#(generation)"\#(why)}"#
        return try JSONDecoder().decode(ModelMessage.self, from: Data(json.utf8))
    }

    private func key(_ version: Int) -> ModelMemory.Key { ModelMemory.Key(model: "iris", version: "\(version)") }

    @Test func `a version whose place a newer one takes is gone`() throws {
        var memory = ModelMemory()
        memory.received(try self.message("loaded", 1, "a"), from: "w")
        memory.received(try self.message("loaded", 2, "b"), from: "w")
        #expect(memory.count == 2)
        memory.received(try self.message("unloaded", 1, "a", "replaced"), from: "w")
        #expect(memory.count == 1)
        #expect(memory.holders == [self.key(2): 1])
    }

    @Test func `content that takes the place of another is one version`() throws {
        var memory = ModelMemory()
        memory.received(try self.message("loaded", 1, "a"), from: "w")
        memory.received(try self.message("loaded", 1, "b"), from: "w")
        #expect(memory.holders == [self.key(1): 1])
        memory.received(try self.message("unloaded", 1, "a", "replaced"), from: "w")
        #expect(memory.holders == [self.key(1): 1])
        #expect(memory.count == 1)
    }

    @Test func `workers are counted, and those that end are not`() throws {
        var memory = ModelMemory()
        for worker in ["a", "b"] { memory.received(try self.message("loaded", 1, "a"), from: worker) }
        #expect(memory.holders == [self.key(1): 2])
        memory.ended("a")
        #expect(memory.holders == [self.key(1): 1])
    }
}
