import NIOCore
import NIOHTTP1

/// How much of what comes within a body is no body: the lines between its chunks, with what is put behind their sizes.
///
/// The parser reads past all that, and counts none of it (CVE-2024-22019 was such a parser).
final class BodyFraming {
    /// Bytes beyond what the chunks themselves account for.
    static let limit = 16 << 10

    private(set) var isInBody = false
    /// A request began or ended within the bytes at hand: they are not told apart then.
    private var sawBoundary = false
    private var credit = 0
    private var excess = 0

    /// To be called with each part that the parser makes of the bytes at hand.
    func saw(_ part: HTTPServerRequestPart) {
        switch part {
        case .head:
            self.isInBody = true
            self.sawBoundary = true
        // A piece of a chunk pays for itself, for a usual line, and for as much again.
        case .body(let bytes): self.credit += 16 + 3 * bytes.readableBytes
        case .end:
            self.isInBody = false
            self.sawBoundary = true
        }
    }

    /// Whether the limit is passed with these bytes, of which `saw` has been told all parts.
    func isTooMuch(of used: Int) -> Bool {
        defer {
            self.credit = 0
            self.sawBoundary = false
        }
        guard self.isInBody, !self.sawBoundary else {
            self.excess = 0
            return false
        }
        self.excess = max(0, self.excess + used - self.credit)
        return self.excess > Self.limit
    }
}
