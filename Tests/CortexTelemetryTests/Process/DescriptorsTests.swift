import CortexTelemetry
import Testing

@Suite(.serialized)
struct DescriptorsTests {
    @Test
    func `a number among the last is not for clients`() {
        #expect(Descriptors.place(of: 900, limit: 1024) == .ordinary)
        #expect(Descriptors.place(of: 1024 - 64, limit: 1024) == .kept)
        #expect(Descriptors.place(of: 1024 - 32, limit: 1024) == .last)
        #expect(Descriptors.place(of: 49, limit: 100) == .ordinary, "half of few is for clients")
        #expect(Descriptors.place(of: 50, limit: 100) == .kept)
    }

    @Test
    func `what workers need is kept too`() {
        Descriptors.keep(100)
        defer { Descriptors.keep(-100) }
        #expect(Descriptors.place(of: 1024 - 164, limit: 1024) == .kept)
        #expect(Descriptors.place(of: 1024 - 165, limit: 1024) == .ordinary)
    }

    @Test
    func `starts are claimed until no more fit`() throws {
        #expect(Descriptors.open > 0)
        // Not what is free at the moment: tests that run beside this one close theirs.
        let most = Descriptors.limit / Descriptors.perStart
        var claims: [Descriptors.Claim] = []
        let shortage = #expect(throws: DescriptorShortage.self) {
            while claims.count <= most { claims.append(try Descriptors.claimStart()) }
        }
        #expect("\(try #require(shortage))".contains("ulimit -n"))
        claims.removeAll()
        try Descriptors.claimStart().release()
    }
}
