/// A shell pattern over bytes, as git's `wildmatch` reads it, matched in time proportional to pattern times text.
struct GlobPattern: Sendable {
    private enum Token: Sendable {
        case literal(UInt8)
        /// `?`
        case one
        case set(ByteSet)
        /// `*`: anything without a `/`, where `/` is special.
        case many
        /// `**` as a whole segment at the end: anything.
        case everything
        /// `**/`: no folders, or any number.
        case folders
        /// A pattern that is malformed here, which nothing matches.
        case nothing
    }

    private var tokens: [Token] = []
    private let spansSlashes: Bool

    /// - Parameter spansSlashes: Whether `/` is a character like any other.
    init(_ pattern: ArraySlice<UInt8>, spansSlashes: Bool) {
        self.spansSlashes = spansSlashes
        let bytes = Array(pattern)
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\"):
                self.tokens.append(index + 1 < bytes.count ? .literal(bytes[index + 1]) : .nothing)
                index += 2
            case UInt8(ascii: "?"):
                self.tokens.append(.one)
                index += 1
            case UInt8(ascii: "*"):
                self.appendStars(bytes, &index)
            case UInt8(ascii: "["):
                if let set = ByteSet(bytes, &index) {
                    self.tokens.append(.set(set))
                } else {
                    self.tokens.append(.nothing)
                    index = bytes.count
                }
            default:
                self.tokens.append(.literal(bytes[index]))
                index += 1
            }
        }
    }

    private mutating func appendStars(_ bytes: [UInt8], _ index: inout Int) {
        let start = index
        while index < bytes.count, bytes[index] == UInt8(ascii: "*") { index += 1 }
        let isSegmentStart = start == 0 || bytes[start - 1] == UInt8(ascii: "/")
        let rest = bytes[index...]
        if index - start > 1, isSegmentStart, !self.spansSlashes {
            if rest.first == UInt8(ascii: "/") {
                index += 1
                return self.tokens.append(.folders)
            }
            if rest.isEmpty || rest.starts(with: #"\/"#.utf8) { return self.tokens.append(.everything) }
        }
        self.tokens.append(.many)
    }

    /// Whether the whole text matches.
    func matches(_ text: ArraySlice<UInt8>) -> Bool {
        let text = Array(text)
        // reached[i]: the tokens so far match the first i bytes.
        var reached = [Bool](repeating: false, count: text.count + 1)
        reached[0] = true
        for token in self.tokens {
            reached = self.step(token, text, reached)
            guard reached.contains(true) else { return false }
        }
        return reached[text.count]
    }

    private func step(_ token: Token, _ text: [UInt8], _ reached: [Bool]) -> [Bool] {
        var next = [Bool](repeating: false, count: reached.count)
        switch token {
        case .nothing: break
        case .literal, .one, .set:
            for index in text.indices where reached[index] { next[index + 1] = self.isMatch(token, text[index]) }
        case .many, .everything:
            var isOpen = false
            for index in reached.indices {
                isOpen = isOpen || reached[index]
                next[index] = isOpen
                if index < text.count, case .many = token, text[index] == UInt8(ascii: "/"), !self.spansSlashes {
                    isOpen = false
                }
            }
        case .folders:
            var isOpen = false
            for index in reached.indices {
                next[index] = reached[index] || (isOpen && text[index - 1] == UInt8(ascii: "/"))
                isOpen = isOpen || reached[index]
            }
        }
        return next
    }

    private func isMatch(_ token: Token, _ byte: UInt8) -> Bool {
        let isSlash = byte == UInt8(ascii: "/") && !self.spansSlashes
        return switch token {
        case .literal(let literal): literal == byte
        case .one: !isSlash
        case .set(let set): !isSlash && set.contains(byte)
        default: false
        }
    }
}
