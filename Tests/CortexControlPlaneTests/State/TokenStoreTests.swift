import CortexControlPlane
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct TokenStoreTests {
    private let folder: TemporaryHome
    private let tokens: TokenStore

    init() throws {
        self.folder = try TemporaryHome()
        self.tokens = TokenStore(store: try StateStore(home: self.folder.home))
    }

    @Test func `a secret names its token until it is revoked or made anew`() async throws {
        let first = try await self.tokens.create("ci")
        let other = try await self.tokens.create("laptop")
        #expect(try await self.tokens.name(ofSecret: first) == "ci")
        #expect(try await self.tokens.name(ofSecret: other) == "laptop")
        #expect(try await self.tokens.name(ofSecret: "") == nil)
        #expect(try await self.tokens.name(ofSecret: String(first.dropLast())) == nil)
        let second = try await self.tokens.create("ci")
        #expect(first != second)
        #expect(try await self.tokens.name(ofSecret: first) == nil)
        #expect(try await self.tokens.revoke("ci"))
        #expect(try await !self.tokens.revoke("ci"))
        #expect(try await self.tokens.name(ofSecret: second) == nil)
        #expect(try await self.tokens.name(ofSecret: other) == "laptop")
    }

    @Test func `the command line's token outlives a restart and is private`() async throws {
        let home = self.folder.home
        let secret = try await self.tokens.ensureLocalToken(home: home)
        #expect(TokenStore.localToken(home) == secret)
        let mode = try FileManager.default.attributesOfItem(atPath: "\(home.tokens)/local.token")[.posixPermissions]
        #expect(mode as? Int == 0o600)
        let again = TokenStore(store: try StateStore(home: home))
        #expect(try await again.ensureLocalToken(home: home) == secret)
    }

    @Test func `a lost or foreign token file is written anew`() async throws {
        let home = self.folder.home
        let secret = try await self.tokens.ensureLocalToken(home: home)
        try Data("cortex_guess".utf8).write(to: URL(filePath: "\(home.tokens)/local.token"))
        let second = try await self.tokens.ensureLocalToken(home: home)
        #expect(second != secret)
        #expect(TokenStore.localToken(home) == second)
        #expect(try await self.tokens.name(ofSecret: secret) == nil)
    }

    @Test func `no secret is in the database`() async throws {
        let secret = try await self.tokens.create("ci")
        for name in try FileManager.default.contentsOfDirectory(atPath: self.folder.home.state) {
            let bytes = try Data(contentsOf: URL(filePath: "\(self.folder.home.state)/\(name)"))
            #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(name)")
        }
    }
}
