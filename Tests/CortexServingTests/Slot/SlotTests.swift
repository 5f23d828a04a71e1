import CortexSpec
import CortexWire
import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import CortexServing

/// The queue and real sockets, with the test as the worker.
@Suite(.timeLimit(.minutes(1))) struct SlotTests {
    private func soon(_ id: UInt64) -> PredictRequest { request(id, deadline: .now() + .seconds(30)) }

    @Test func `a worker is told what to build, and heard`() async throws {
        try await Rig.with { rig in
            try await rig.connect(.control) { peer in
                let first = try await peer.next()
                let welcome = try #require(first)
                #expect(welcome.kind == .welcome)
                let text = String(buffer: welcome.body)
                let told = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
                #expect(told == WelcomeMessage.sample.json(models: ["catalog": [:]]))
                #expect(text.contains(#""python_path":null"#))
                var line = ByteBuffer()
                line.writeInteger(UInt16(0), endianness: .little)
                line.writeString("hi")
                try await peer.send(Frame(.log, flags: Frame.Flags(rawValue: 1), code: 0, body: line))
                let heard = await rig.reports.first { _ in true }
                #expect(heard == .log(LogMessage(level: "info", message: "hi", requestID: nil, stream: "stdout")))
            }
            await rig.queue.waitForDisconnect(of: Rig.worker)
            #expect(await rig.reports.first { _ in true } == .disconnected)
        }
    }

    @Test(arguments: [("wrong", wireProtocolVersion), (Rig.token, wireProtocolVersion + 1)])
    func `who cannot show the token or speaks another version is cut off`(token: String, version: Int) async throws {
        try await Rig.with { rig in
            try await rig.connect(.slot, token: token, version: version) { peer in
                let received = try await peer.next()
                #expect(received == nil)
            }
            #expect(await rig.queue.openSlots == 0)
        }
    }

    @Test func `a request goes to the slot and its answer back`() async throws {
        try await Rig.with { rig in
            try await rig.connect(.slot) { peer in
                let sender = RecordingSender()
                await rig.queue.submit(self.soon(7), sender)
                let first = try await peer.next()
                let frame = try #require(first)
                #expect(frame.kind == .request)
                #expect(frame.id == 7)
                #expect(frame.code == PredictRequest.Payload.json.rawValue)
                #expect(String(buffer: frame.body).hasSuffix("r-7{}"))
                try await peer.answer(7, "[1]")
                guard case .answer(let answer, .bytes(let body, _), let timing) = await sender.next else {
                    Issue.record("no answer")
                    return
                }
                #expect(answer.status == 200)
                #expect(answer.mediaType == "application/json")
                #expect(String(buffer: body) == "[1]")
                #expect(timing.predict == .microseconds(50))
                #expect(timing.worker == Rig.worker)
                #expect(await rig.queue.inFlight == 0)
            }
        }
    }

    @Test func `a body in pieces arrives as one`() async throws {
        try await Rig.with { rig in
            try await rig.connect(.slot) { peer in
                let rest = [ByteBuffer(repeating: 0x62, count: 70_000), ByteBuffer(string: "c")]
                for (id, first) in [(1, ByteBuffer(string: "a")), (2, ByteBuffer(repeating: 0x61, count: 70_000))] {
                    let body = PredictRequest.Body.pieces([first] + rest)
                    await rig.queue.submit(
                        request(UInt64(id), body: body, deadline: .now() + .seconds(30)),
                        SilentSender()
                    )
                    let received = try await peer.next()
                    let text = String(buffer: try #require(received).body)
                    #expect(text.hasSuffix("r-\(id)" + ([first] + rest).map { String(buffer: $0) }.joined()))
                    try await peer.answer(UInt64(id), "[1]")
                }
            }
        }
    }

    /// The frame of a large answer.
    private func largeAnswer(_ id: UInt64) -> ByteBuffer {
        var body = ByteBuffer()
        body.writeMultipleIntegers(UInt32(50), UInt8(3), UInt8(0), UInt16(0), endianness: .little)
        body.writeRepeatingByte(0x61, count: 1_000_000)
        var frame = ByteBuffer()
        Frame(.answer, code: 200, id: id, body: body).write(into: &frame)
        return frame
    }

    @Test func `a large answer arrives whole`() async throws {
        try await Rig.with { rig in
            try await rig.connect(.slot) { peer in
                let sender = RecordingSender()
                await rig.queue.submit(self.soon(1), sender)
                _ = try await peer.next()
                try await peer.outbound.write(self.largeAnswer(1))
                guard case .answer(_, .bytes(let body, let tail), _) = await sender.next else {
                    Issue.record("no answer")
                    return
                }
                #expect(tail.reduce(body.readableBytes) { $0 + $1.readableBytes } == 1_000_000)
                #expect(([body] + tail).allSatisfy { $0.readableBytesView.allSatisfy { $0 == 0x61 } })
            }
        }
    }

    @Test func `nothing is told of a large answer whose worker dies in the middle`() async throws {
        try await Rig.with { rig in
            let sender = RecordingSender()
            try await rig.connect(.slot) { peer in
                await rig.queue.submit(self.soon(1), sender)
                _ = try await peer.next()
                var frame = self.largeAnswer(1)
                let beginning = frame.readSlice(length: 700_000)
                try await peer.outbound.write(try #require(beginning))
            }
            guard case .failed(.workerCrashed, _) = await sender.next else {
                Issue.record("no failure first")
                return
            }
        }
    }

    @Test func `a stream arrives in its pieces`() async throws {
        try await Rig.with { rig in
            try await rig.connect(.slot) { peer in
                let sender = RecordingSender()
                await rig.queue.submit(self.soon(1), sender)
                _ = try await peer.next()
                var head = ByteBuffer()
                head.writeMultipleIntegers(UInt32(0), UInt8(2), UInt8(0), UInt16(0), endianness: .little)
                try await peer.send(Frame(.head, code: 206, id: 1, body: head))
                for text in ["a", "b"] { try await peer.send(Frame(.chunk, id: 1, body: ByteBuffer(string: text))) }
                try await peer.send(Frame(.end, id: 1, body: ByteBuffer(integer: UInt32(9), endianness: .little)))
                var seen: [String] = []
                for await event in sender.events {
                    switch event {
                    case .head(let answer, _): seen.append("\(answer.status)")
                    case .chunk(let bytes): seen.append(String(buffer: bytes))
                    case .end(let isWhole, _): seen.append(isWhole ? "whole" : "broken")
                    case .answer, .failed, .started: seen.append("unexpected")
                    }
                    if case .end = event { break }
                }
                #expect(seen == ["206", "a", "b", "whole"])
            }
        }
    }

    @Test func `a worker that dies with a request it has read fails that request only`() async throws {
        try await Rig.with { rig in
            let lost = RecordingSender()
            let kept = RecordingSender()
            try await rig.connect(.slot) { peer in
                await rig.queue.submit(self.soon(1), lost)
                await rig.queue.submit(self.soon(2), kept)
                let received = try await peer.next()
                #expect(received?.id == 1)
            }
            guard case .failed(.workerCrashed(Rig.worker), _) = await lost.next else {
                Issue.record("not told of the crash")
                return
            }
            try await rig.connect(.slot) { peer in
                let received = try await peer.next()
                #expect(received?.id == 2)
                try await peer.answer(2, "2")
                guard case .answer = await kept.next else {
                    Issue.record("no answer")
                    return
                }
            }
        }
    }

    #if os(Linux)
    // Other systems do not say that something was left unread: there the request fails as one that may have been started.
    @Test func `a request that a dead worker left unread goes to the next one`() async throws {
        try await Rig.with { rig in
            let sender = RecordingSender()
            let deaf = try await ClientBootstrap(group: rig.queue.eventLoop)
                .channelOption(.autoRead, value: false)
                .connect(unixDomainSocketPath: rig.listener.path)
                .get()
            let hello = HelloMessage(
                protocol: wireProtocolVersion,
                worker: Rig.worker,
                token: Rig.token,
                role: .slot,
                slot: 0,
                capabilities: []
            )
            var buffer = ByteBuffer()
            Frame(.hello, body: ByteBuffer(bytes: try JSONEncoder().encode(hello))).write(into: &buffer)
            try await deaf.writeAndFlush(buffer)
            while await rig.queue.openSlots == 0 { await Task.yield() }
            await rig.queue.submit(self.soon(1), sender)
            try await rig.settle()
            try await deaf.close()
            try await rig.connect(.slot) { peer in
                let received = try await peer.next()
                #expect(received?.id == 1)
                try await peer.answer(1, "1")
                guard case .answer = await sender.next else {
                    Issue.record("no answer")
                    return
                }
            }
        }
    }
    #endif

    @Test func `a request that was about to be sent to a worker that has ended goes to the next one`() async throws {
        try await Rig.with { rig in
            let sender = RecordingSender()
            let request = self.soon(1)
            try await rig.connect(.slot) { _ in
                while await rig.queue.openSlots == 0 { await Task.yield() }
                try await rig.queue.eventLoop.submit {
                    rig.queue.assumeIsolated { queue in
                        // In one turn of the loop, at whose end frames are written.
                        queue.submit(request, sender)
                        queue.links[0]?.channel.close(promise: nil)
                    }
                }.get()
            }
            try await rig.connect(.slot) { peer in
                let received = try await peer.next()
                #expect(received?.id == 1)
                try await peer.answer(1, "1")
                guard case .answer = await sender.next else {
                    Issue.record("no answer")
                    return
                }
            }
        }
    }

    @Test func `a worker that answers what it was not asked is cut off`() async throws {
        try await Rig.with { rig in
            try await rig.connect(.slot) { peer in
                try await peer.answer(42, "{}")
                let received = try await peer.next()
                #expect(received == nil)
            }
        }
    }

    @Test func `a drain waits for the work after the last answer`() async throws {
        try await Rig.with { rig in
            try await rig.connect(.slot) { peer in
                let sender = RecordingSender()
                await rig.queue.submit(self.soon(1), sender)
                _ = try await peer.next()
                async let drained: Void = rig.queue.drain()
                try await peer.answer(1, "1", flags: .workFollows)
                _ = await sender.next
                let late = RecordingSender()
                while await rig.queue.isOpen { await Task.yield() }
                await rig.queue.submit(self.soon(2), late)
                guard case .failed(.draining, _) = await late.next else {
                    Issue.record("not refused")
                    return
                }
                try await peer.send(Frame(.idle, id: 1))
                await drained
            }
        }
    }

    @Test func `a deadline is told while the worker still runs, and the late answer dropped`() async throws {
        try await Rig.with { rig in
            try await rig.connect(.slot) { peer in
                let sender = RecordingSender()
                // Else the time could run out before there is a slot, and no worker would ever run it.
                while await rig.queue.openSlots == 0 { await Task.yield() }
                await rig.queue.submit(request(1, deadline: .now() + .milliseconds(20)), sender)
                _ = try await peer.next()
                guard case .failed(.deadlineExceeded(started: true), _) = await sender.next else {
                    Issue.record("not told")
                    return
                }
                try await peer.answer(1, "late")
                let after = RecordingSender()
                await rig.queue.submit(self.soon(2), after)
                let received = try await peer.next()
                #expect(received?.id == 2)
                try await peer.answer(2, "2")
                guard case .answer = await after.next else {
                    Issue.record("no answer")
                    return
                }
            }
        }
    }
}

extension AdmissionQueue {
    fileprivate var isOpen: Bool { self.state.mode == .open }
}
