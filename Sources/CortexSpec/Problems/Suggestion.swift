/// The candidate that a mistyped word was probably meant to be.
package enum Suggestion {
    /// The nearest candidate by edit distance; nil where none is near enough to be meant.
    ///
    /// Near enough is a third of the word's length, at least one edit: `pth` finds `path`, `x` finds nothing. Case makes
    /// no difference, and neither does `-` for `_`.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        guard word.utf8.count <= 256 else { return nil }
        let plain = Self.plain(word)
        var best: (distance: Int, word: String)?
        for candidate in candidates where abs(candidate.count - plain.count) <= 4 {
            let distance = Self.distance(Array(plain.utf8), Array(Self.plain(candidate).utf8))
            guard distance <= max(1, min(plain.count, candidate.count) / 3), distance < candidate.count else {
                continue
            }
            if distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        return best?.word
    }

    private static func plain(_ word: String) -> String { word.lowercased().replacing("-", with: "_") }

    /// Edits between two words where two swapped neighbours count as one (optimal string alignment).
    package static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        guard !first.isEmpty, !second.isEmpty else { return max(first.count, second.count) }
        var beforePrevious = [Int](repeating: 0, count: second.count + 1)
        var previous = Array(0...second.count)
        for row in 1...first.count {
            var current = [row] + [Int](repeating: 0, count: second.count)
            for column in 1...second.count {
                let cost = first[row - 1] == second[column - 1] ? 0 : 1
                current[column] = min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + cost)
                if row > 1, column > 1, first[row - 1] == second[column - 2], first[row - 2] == second[column - 1] {
                    current[column] = min(current[column], beforePrevious[column - 2] + 1)
                }
            }
            beforePrevious = previous
            previous = current
        }
        return previous[second.count]
    }
}
