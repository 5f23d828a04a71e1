import CortexWire
import NIOCore
import Wire

/// A connection's bytes: the frames do not depend on how the bytes were cut, and each comes back as it was written.
enum FramesCase {
    static func check(_ bytes: ByteBuffer, pieces: Int) {
        let whole = self.frames(of: bytes, each: max(1, bytes.readableBytes))
        let cut = self.frames(of: bytes, each: pieces + 1)
        precondition(whole.frames == cut.frames && whole.violation == cut.violation, "frames depend on the pieces")

        var written = ByteBuffer()
        for frame in whole.frames {
            frame.write(into: &written)
            self.checkBody(frame)
        }
        precondition(bytes.readableBytesView.starts(with: written.readableBytesView), "a frame is written otherwise")
        precondition(whole.frames.allSatisfy { $0.body.readableBytes <= Frame.maximumLength }, "a frame is too long")
        // The bodies are also what is left where no head is right: most inputs have none.
        self.checkBody(Frame(.answer, body: bytes))
    }

    private static func frames(
        of bytes: ByteBuffer,
        each size: Int
    ) -> (frames: [Frame], violation: FrameDecoder.Violation?) {
        var decoder = FrameDecoder()
        var bytes = bytes
        var frames: [Frame] = []
        do throws(FrameDecoder.Violation) {
            while let piece = bytes.readSlice(length: min(size, bytes.readableBytes)), piece.readableBytes > 0 {
                decoder.append(piece)
                while let frame = try decoder.next() { frames.append(frame) }
            }
            return (frames, nil)
        } catch {
            return (frames, error)
        }
    }

    private static func checkBody(_ frame: Frame) {
        if let answer = AnswerFrame(frame.body) {
            let bytes = answer.headers.reduce(8) {
                $0 + 6 + $1.name.unicodeScalars.count + $1.value.unicodeScalars.count
            }
            precondition(bytes + answer.rest.readableBytes == frame.body.readableBytes, "bytes are lost or made up")
        }
        if let failure = FailureFrame.read(frame.body) {
            precondition(frame.body.readableBytes > 4, "a failure of nothing")
            _ = failure.failure.headers?.count
        }
    }
}
