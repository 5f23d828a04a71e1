import NIOCore

/// A file that answers: as long as anybody holds it, it takes its share of the disk that bodies may take.
final class AnswerFile: Sendable {
    let descriptor: CInt
    let size: Int
    /// Keeps the descriptor open.
    private let owner: any Sendable
    private let budget: ByteBudget

    /// - Throws: `spoolFull` where there is no room for it.
    init(descriptor: CInt, size: Int, owner: any Sendable, _ budget: ByteBudget) throws(GatewayError) {
        guard budget.take(size) else { throw .spoolFull }
        self.descriptor = descriptor
        self.size = size
        self.owner = owner
        self.budget = budget
    }

    deinit {
        self.budget.give(self.size)
    }

    /// Blocks until the bytes are in a file, which has no name any more.
    static func write(_ pieces: [ByteBuffer], _ place: CollectedBody.Place) throws(GatewayError) -> AnswerFile {
        guard let file = try? SpoolFile(directory: place.directory) else { throw .spoolBroken }
        file.remove()
        let answer = try AnswerFile(
            descriptor: file.descriptor,
            size: pieces.reduce(0) { $0 + $1.readableBytes },
            owner: file,
            place.budget
        )
        for piece in pieces { try file.append(piece) }
        return answer
    }
}
