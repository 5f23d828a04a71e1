import CortexSpec
import Testing

@testable import CortexLocalProvider

@Suite struct PackageAdditionsTests {
    private let home: TemporaryFolder
    private let iris: APIName
    private let base: EnvironmentKey
    private let other: EnvironmentKey

    init() throws {
        self.home = try TemporaryFolder()
        self.iris = try #require(APIName("iris"))
        func key(_ digit: Character) throws -> EnvironmentKey {
            try #require(EnvironmentKey(String(repeating: digit, count: 64)))
        }
        self.base = try key("a")
        self.other = try key("b")
    }

    private var fresh: PackageAdditions { PackageAdditions(folder: "\(self.home.path)/additions") }

    @Test func `what was installed is known to the next server`() throws {
        var additions = self.fresh
        additions.add("scikit-learn", for: self.iris, base: self.base)
        #expect(additions.packages(for: self.iris, base: self.base) == ["scikit-learn"])
        #expect(self.fresh.packages(for: self.iris, base: self.base) == [], "it is not installed yet")
        additions.succeeded(for: self.iris, base: self.base)
        additions.add("pandas", for: self.iris, base: self.base)
        additions.succeeded(for: self.iris, base: self.base)
        #expect(self.fresh.packages(for: self.iris, base: self.base) == ["pandas", "scikit-learn"])
        #expect(self.fresh.packages(for: self.iris, base: self.other) == [])
        #expect(self.fresh.packages(for: try #require(APIName("other")), base: self.base) == [])
    }

    @Test func `what cannot be installed is forgotten`() {
        var additions = self.fresh
        additions.add("six", for: self.iris, base: self.base)
        additions.succeeded(for: self.iris, base: self.base)
        additions.add("torch", for: self.iris, base: self.base)
        additions.failed(for: self.iris, base: self.base)
        #expect(additions.packages(for: self.iris, base: self.base) == ["six"])
    }
}
