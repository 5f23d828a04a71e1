import CortexModels
import Testing

@Suite struct VersionTreeTests {
    private func tree(_ prefix: String, size: Int64 = 3, modified: Int64 = 7, tag: String? = "t") throws -> VersionTree
    {
        let object = try StoredObject(path: "\(prefix)a", size: size, modified: modified, tag: tag)
        return VersionTree(prefix: prefix, objects: [object])
    }

    @Test func `the same content has the same generation`() throws {
        let generation = try self.tree("3/").generation(sourceKey: "k")
        #expect(generation.utf8.count == 64)
        #expect(try self.tree("3/").generation(sourceKey: "k") == generation)
        // With an etag the time says nothing: a copy of the same bytes may be newer.
        #expect(try self.tree("3/", modified: 8).generation(sourceKey: "k") == generation)
    }

    @Test func `whatever differs makes another generation`() throws {
        let generations = [
            try self.tree("3/").generation(sourceKey: "k"),
            try self.tree("3/").generation(sourceKey: "other"),
            try self.tree("4/").generation(sourceKey: "k"),
            try self.tree("").generation(sourceKey: "k"),
            try self.tree("3/", size: 4).generation(sourceKey: "k"),
            try self.tree("3/", tag: "u").generation(sourceKey: "k"),
            try self.tree("3/", tag: nil).generation(sourceKey: "k"),
            try self.tree("3/", modified: 8, tag: nil).generation(sourceKey: "k"),
            VersionTree(prefix: "3/", objects: .listing(["3/ab", "3/c"])).generation(sourceKey: "k"),
            VersionTree(prefix: "3/", objects: .listing(["3/a", "3/bc"])).generation(sourceKey: "k"),
        ]
        #expect(Set(generations).count == generations.count)
    }

    @Test func `size and time are those of all files`() throws {
        let tree = VersionTree(
            prefix: "",
            objects: [
                try StoredObject(path: "a", size: 3, modified: 9), try StoredObject(path: "b", size: 4, modified: 5),
            ]
        )
        #expect(tree.size == 7)
        #expect(tree.modified == 9)
    }
}
