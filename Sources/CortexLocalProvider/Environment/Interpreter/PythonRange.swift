/// Some versions of Python, as `3.11`, `3.11.*`, or `>=3.10,<3.13` (PEP 440, as far as releases of Python need it).
struct PythonRange: Hashable, Sendable {
    private struct Clause: Hashable, Sendable {
        var comparison: String
        var numbers: [Int]
        /// Whether what follows the numbers may be anything, as in `==3.11.*`.
        var isPrefix: Bool
    }

    private var clauses: [Clause] = []

    /// Nil for what is no such text.
    init?(_ text: some StringProtocol) {
        for part in text.split(separator: ",") {
            let words = String(part.filter { !$0.isWhitespace })
            let comparison = words.prefix { "<>=!~".contains($0) }
            var rest = words.dropFirst(comparison.count)
            var isPrefix = comparison.isEmpty
            if rest.hasSuffix(".*") {
                rest = rest.dropLast(2)
                isPrefix = true
            }
            let parts = rest.split(separator: ".", omittingEmptySubsequences: false)
            let numbers = parts.compactMap { $0.allSatisfy(\.isNumber) ? Int($0) : nil }
            let known = ["", "==", "===", "!=", ">=", "<=", ">", "<", "~="]
            guard known.contains(String(comparison)), numbers.count == parts.count, (1...3).contains(numbers.count),
                comparison != "~=" || numbers.count > 1
            else { return nil }
            self.clauses.append(
                Clause(comparison: comparison.isEmpty ? "==" : String(comparison), numbers: numbers, isPrefix: isPrefix)
            )
        }
        if self.clauses.isEmpty { return nil }
    }

    func contains(_ version: ToolVersion) -> Bool {
        self.clauses.allSatisfy { Self.holds($0, for: [version.major, version.minor, version.patch]) }
    }

    /// The release that it is about, such as `3.11`, where that is one only.
    var release: String? {
        guard self.clauses.count == 1, let clause = self.clauses.first, clause.comparison == "==" else { return nil }
        return clause.numbers.map(String.init).joined(separator: ".")
    }

    private static func holds(_ clause: Clause, for version: [Int]) -> Bool {
        let isSame = clause.numbers == Array(version.prefix(clause.numbers.count))
        let numbers = clause.numbers + Array(repeating: 0, count: 3 - clause.numbers.count)
        return switch clause.comparison {
        case "==", "===": clause.isPrefix ? isSame : version == numbers
        case "!=": clause.isPrefix ? !isSame : version != numbers
        case ">=": !version.lexicographicallyPrecedes(numbers)
        case ">": numbers.lexicographicallyPrecedes(version)
        case "<=": !numbers.lexicographicallyPrecedes(version)
        case "<": version.lexicographicallyPrecedes(numbers)
        default:
            // `~=3.10.2` is `>=3.10.2` and `==3.10.*`.
            !version.lexicographicallyPrecedes(numbers)
                && version.starts(with: clause.numbers.dropLast())
        }
    }
}
