import NIOCore

/// A frame whose pieces stay in the memory that they are read into.
///
/// Small pieces are gathered, since each holds the memory of a whole read.
struct LargeFrame: Sendable {
    /// Bytes of a piece from which on a copy costs more than a place in a list of pieces.
    private static let largePiece = 16 << 10
    /// Bytes that small pieces are gathered in.
    private static let room = 64 << 10

    private let head: Frame
    private var pieces: [ByteBuffer] = []
    /// Bytes that are still to come.
    private(set) var missing: Int

    /// - Parameter head: The frame without its body, which has `length` bytes.
    init(_ head: Frame, length: Int) {
        self.head = head
        self.missing = length
    }

    /// The frame with all that has come.
    var frame: Frame {
        var frame = self.head
        frame.body = self.pieces.first ?? ByteBuffer()
        frame.tail = Array(self.pieces.dropFirst())
        return frame
    }

    /// Takes what belongs to the frame and leaves the rest.
    mutating func take(from bytes: inout ByteBuffer) {
        let size = min(self.missing, bytes.readableBytes)
        guard size > 0, let piece = bytes.readSlice(length: size) else { return }
        self.missing -= size
        if size >= max(Self.largePiece, piece.storageCapacity / 2) {
            self.pieces.append(piece)
        } else if let last = self.pieces.indices.last, self.pieces[last].writableBytes >= size {
            self.pieces[last].writeImmutableBuffer(piece)
        } else {
            var gathered = ByteBuffer()
            gathered.reserveCapacity(max(size, Self.room))
            gathered.writeImmutableBuffer(piece)
            self.pieces.append(gathered)
        }
    }
}
