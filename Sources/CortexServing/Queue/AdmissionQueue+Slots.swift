import CortexWire
import NIOCore

/// What the slots' sockets tell the queue. All of it runs on the queue's event loop.
extension AdmissionQueue {
    /// A frame that no peer of the protocol would send now: its connection is closed.
    struct UnexpectedFrame: Error {
        let kind: Frame.Kind
    }

    func slotOpened(_ channel: any Channel, worker: String, replica: String) -> Int {
        let index = self.state.slotOpened(worker: worker, replica: replica)
        while self.links.count <= index { self.links.append(nil) }
        let origin = Origin(worker: worker, version: self.state.members[replica]?.version ?? 0)
        self.links[index] = SlotLink(channel: channel, replica: replica, origin: origin)
        self.wakeSlotWaiters()
        self.dispatch(now: .now())
        return index
    }

    func slotClosed(_ index: Int) {
        guard let link = self.links[index] else { return }
        self.links[index] = nil
        // Closed in the turn of the loop in which they came, at whose end they would have been written.
        self.state.wereNotSent(link.unsentCount, to: index)
        let since = self.state.slots[index]?.since
        if let entry = self.state.slotClosed(index) {
            let now = NIODeadline.now()
            let timing = self.timing(of: entry, predict: since.map { now - $0 }, by: link.origin, now: now)
            switch entry.stage {
            case .streaming: entry.responder?.receive(.end(isWhole: false, timing))
            case .handed, .queued: entry.responder?.receive(.failed(.workerCrashed(worker: link.origin.worker), timing))
            }
        }
        self.dispatch(now: .now())
        self.noteDrained()
    }

    /// Takes all frames that are whole.
    func received(_ decoder: inout FrameDecoder, from index: Int) throws {
        while let frame = try decoder.next() { try self.received(frame, from: index) }
    }

    private func received(_ frame: Frame, from index: Int) throws {
        switch frame.kind {
        case .answer: try self.answered(frame, by: index)
        case .failure: try self.failed(frame, by: index)
        case .head: try self.streamBegan(frame, by: index)
        case .chunk:
            guard let entry = self.state.streaming(frame.id, by: index) else { throw UnexpectedFrame(kind: .chunk) }
            entry.responder?.receive(.chunk(frame.body))
        case .end: try self.streamEnded(frame, by: index)
        case .skipped: try self.skipped(frame, by: index)
        case .idle:
            let now = NIODeadline.now()
            self.state.rested(index, now: now)
            self.dispatch(now: now)
            self.noteDrained()
        default: throw UnexpectedFrame(kind: frame.kind)
        }
    }

    private func answered(_ frame: Frame, by index: Int) throws {
        guard let answer = AnswerFrame(frame) else { throw UnexpectedFrame(kind: .answer) }
        let predict = TimeAmount.microseconds(Int64(answer.predictMicroseconds))
        let now = NIODeadline.now()
        let entry = try self.settle(frame, by: index, predict: predict, now: now)
        let body = self.takeBody(of: answer, id: frame.id, slot: index)
        let timing = self.timing(of: entry, predict: predict, by: self.links[index]?.origin, now: now)
        if let body {
            entry.responder?.receive(.answer(PredictAnswer(status: frame.code, answer), body, timing))
        } else {
            let missing = FailureFrame(
                code: "FILE_NOT_FOUND",
                error: "the file that the predictor answered with cannot be read",
                hint: "a FileResponse needs the path of a regular file that is there until it has been sent"
            )
            entry.responder?.receive(.failed(.refused(status: 500, missing), timing))
        }
        self.dispatch(now: now)
        self.noteDrained()
    }

    /// The body of an answer; for a file, opens it and tells the worker so.
    ///
    /// Nil where the file is not to be had.
    private func takeBody(of answer: AnswerFrame, id: UInt64, slot: Int) -> PredictBody? {
        guard answer.form != .inline else { return .bytes(answer.rest, tail: answer.tail) }
        let path = String(buffer: answer.rest)
        let file = OpenedFile(path: path)
        if answer.form == .spool { unlinkFile(path) }
        self.send(Frame(.taken, id: id), to: slot)
        return file.map { .file($0) }
    }

    private func failed(_ frame: Frame, by index: Int) throws {
        guard let (microseconds, failure) = FailureFrame.read(frame.body) else { throw UnexpectedFrame(kind: .failure) }
        let predict = TimeAmount.microseconds(Int64(microseconds))
        let now = NIODeadline.now()
        let entry = try self.settle(frame, by: index, predict: predict, now: now)
        let timing = self.timing(of: entry, predict: predict, by: self.links[index]?.origin, now: now)
        entry.responder?.receive(.failed(.refused(status: Int(frame.code), failure), timing))
        // A worker that is about to end gets nothing more: what was handed to it goes to the others.
        if frame.flags.contains(.recycle) {
            let channel = self.links[index]?.channel
            self.state.retires(index)
            self.slotClosed(index)
            channel?.close(promise: nil)
        }
        self.dispatch(now: now)
        self.noteDrained()
    }

    private func streamBegan(_ frame: Frame, by index: Int) throws {
        guard
            let answer = AnswerFrame(frame.body), answer.form == .inline,
            let entry = self.state.streamBegan(frame.id, by: index)
        else { throw UnexpectedFrame(kind: .head) }
        let predict = TimeAmount.microseconds(Int64(answer.predictMicroseconds))
        let timing = self.timing(of: entry, predict: predict, by: self.links[index]?.origin, now: .now())
        entry.responder?.receive(.head(PredictAnswer(status: frame.code, answer), timing))
    }

    private func streamEnded(_ frame: Frame, by index: Int) throws {
        var body = frame.body
        guard
            self.state.streaming(frame.id, by: index) != nil,
            let microseconds = body.readInteger(endianness: .little, as: UInt32.self)
        else { throw UnexpectedFrame(kind: .end) }
        let predict = TimeAmount.microseconds(Int64(microseconds))
        let now = NIODeadline.now()
        let entry = try self.settle(frame, by: index, predict: predict, now: now)
        let timing = self.timing(of: entry, predict: predict, by: self.links[index]?.origin, now: now)
        self.links[index]?.channel.setOption(.autoRead, value: true).whenFailure { _ in }
        entry.responder?.receive(.end(isWhole: frame.code == 0, timing))
        self.dispatch(now: now)
        self.noteDrained()
    }

    private func skipped(_ frame: Frame, by index: Int) throws {
        let now = NIODeadline.now()
        let entry = try self.settle(frame, by: index, predict: nil, now: now)
        let timing = self.timing(of: entry, predict: nil, by: self.links[index]?.origin, now: now)
        entry.responder?.receive(.failed(.deadlineExceeded(started: false), timing))
        self.dispatch(now: now)
        self.noteDrained()
    }

    private func settle(
        _ frame: Frame,
        by index: Int,
        predict: TimeAmount?,
        now: NIODeadline
    ) throws -> AdmissionState.Entry {
        let workFollows = frame.kind != .skipped && frame.flags.contains(.workFollows)
        guard
            let entry = self.state.answered(frame.id, by: index, predict: predict, workFollows: workFollows, now: now)
        else {
            throw UnexpectedFrame(kind: frame.kind)
        }
        return entry
    }
}

extension PredictAnswer {
    fileprivate init(status: UInt16, _ answer: AnswerFrame) {
        self.init(status: Int(status), mediaType: answer.content.mediaType, headers: answer.headers)
    }
}
