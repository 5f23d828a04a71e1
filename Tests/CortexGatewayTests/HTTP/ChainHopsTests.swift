import Testing

@testable import CortexGateway

@Suite struct ChainHopsTests {
    @Test(
        arguments: [
            ("0", 0), ("16", 16), ("007", 7), ("999999999", 999_999_999), ("1000000000", nil), ("", nil), ("-1", nil),
            ("+1", nil), (" 1", nil), ("1,2", nil), ("\u{663}", nil),
        ] as [(String, Int?)]
    )
    func `only a plain number is one`(text: String, count: Int?) {
        #expect(ChainHops.count(text) == count)
    }
}
