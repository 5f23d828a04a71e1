import CortexSpec
import CortexWire
import Foundation
import NIOCore
import Testing

@testable import CortexServing

/// What goes over the control connection about models, with the test as the worker.
@Suite(.timeLimit(.minutes(1))) struct ModelFramesTests {
    private func frame(_ kind: Frame.Kind, id: UInt64 = 0, _ json: String) -> Frame {
        Frame(kind, id: id, body: ByteBuffer(string: json))
    }

    private func json(_ frame: Frame?) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(try #require(frame).body.readableBytesView))
    }

    @Test func `a worker asks for a version and gets its folder, or why not`() async throws {
        try await Rig.with { rig in
            try await rig.connect(.control) { peer in
                _ = try await peer.next()
                try await peer.send(
                    self.frame(.ensure, id: 9, #"{"model":"iris","version":"3","generation":"ab"}"#)
                )
                let message = EnsureMessage(model: "iris", version: "3", generation: "ab")
                #expect(await rig.reports.first { _ in true } == .ensure(9, message))

                await rig.queue.answer(.ready(path: "/models/ab"), to: 9, of: Rig.worker)
                let answer = try await peer.next()
                #expect(answer?.kind == .ensured)
                #expect(answer?.id == 9)
                #expect(try self.json(answer) == ["path": "/models/ab"])

                await rig.queue.answer(.failed(code: "MODEL_NOT_FOUND", error: "gone"), to: 10, of: Rig.worker)
                #expect(try self.json(try await peer.next()) == ["code": "MODEL_NOT_FOUND", "error": "gone"])
            }
        }
    }

    @Test func `what a worker tells of its models is heard`() async throws {
        try await Rig.with { rig in
            try await rig.connect(.control) { peer in
                _ = try await peer.next()
                let loaded = #"""
                    {"event": "loaded", "model": "iris", "version": "3", "generation": "ab", "seconds": 0.5,
                     "inputs": {"x": {"shape": ["batch", 4, null], "type": "float32"}}, "error": null}
                    """#
                try await peer.send(self.frame(.model, loaded))
                guard case .model(let message) = await rig.reports.first(where: { _ in true }) else {
                    Issue.record("not heard")
                    return
                }
                #expect(message.event == .loaded)
                #expect(message.seconds == 0.5)
                #expect(message.inputs?["x"]?.shape == ["batch", 4, .null])
                try await peer.send(self.frame(.counted, #"{"hits": 5, "misses": 2}"#))
                #expect(await rig.reports.first { _ in true } == .counted(ModelCounts(hits: 5, misses: 2)))
            }
        }
    }

    @Test func `changes reach every worker that is there`() async throws {
        try await Rig.with { rig in
            try await rig.connect(.control) { peer in
                _ = try await peer.next()
                await rig.queue.announceModels(
                    ByteBuffer(string: #"{"changed":{},"removed":["old"]}"#),
                    to: [Rig.replica]
                )
                let change = try await peer.next()
                #expect(change?.kind == .models)
                #expect(try self.json(change) == ["changed": [:], "removed": ["old"]])
                #expect(await rig.queue.askForModelCounts(Rig.worker))
                #expect(try await peer.next()?.kind == .count)
                #expect(await rig.queue.askForModelCounts("nobody") == false)
            }
        }
    }
}
