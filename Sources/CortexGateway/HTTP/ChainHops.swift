/// How many APIs a request has passed, as `X-Cortex-Hops` tells: only calls from inside predictors have it.
enum ChainHops {
    static let header: StaticString = "x-cortex-hops"
    /// What a chain may have at most; more is taken for a circle.
    static let limit = 16

    /// Nil for what is no number of at most nine digits.
    static func count(_ text: String) -> Int? {
        guard text.utf8.count <= 9, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}
