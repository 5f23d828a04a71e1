import CortexControlPlane
import Testing

@Suite struct ProjectHashTests {
    private func hash(_ files: [(path: String, text: String, isExecutable: Bool)]) async throws -> ProjectHash {
        let folder = try TemporaryFolder()
        for file in files { try folder.write(file.path, file.text, executable: file.isExecutable) }
        return try await .of(ProjectPacker(root: folder.path, configFile: "cortex.yaml", home: nil).files())
    }

    @Test func `a known project keeps its hash for ever`() async throws {
        // Computed with Python: sha256("cortex project 1\n" + for each: path, 0, x or -, sha256(content)).
        let hash = try await self.hash([("predictor.py", "class PythonPredictor: ...\n", false), ("run.sh", "", true)])
        #expect(hash.description == "ef3127fa919a30bc94a651dc06e1f88c39a3f9b7ea473dc6b60428c63139d057")
    }

    @Test func `paths, bytes and executable bits count, and where one ends and the next begins`() async throws {
        let hashes = [
            try await self.hash([]),
            try await self.hash([("a", "1", false)]),
            try await self.hash([("a", "1", true)]),
            try await self.hash([("a", "2", false)]),
            try await self.hash([("b", "1", false)]),
            try await self.hash([("a", "1", false), ("b", "", false)]),
            try await self.hash([("a", "", false), ("b", "1", false)]),
        ]
        #expect(Set(hashes).count == hashes.count)
    }

    @Test func `the folder and the config file do not count`() async throws {
        let one = try await self.hash([("a", "1", false), ("cortex.yaml", "x", false)])
        #expect(try await self.hash([("a", "1", false), ("cortex.yaml", "y", false)]) == one)
    }

    @Test(arguments: [
        "", "abc", String(repeating: "A", count: 64), String(repeating: "g", count: 64),
        "../" + String(repeating: "a", count: 61),
    ])
    func `only a hash in its one spelling is taken`(text: String) {
        #expect(ProjectHash(text) == nil)
        #expect(ProjectHash(String(repeating: "0a", count: 32)) != nil)
    }
}
