import CortexModels
import Testing

/// What a flawed entry harms, by where it lies.
@Suite struct FlawedTreeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var kind: ModelKind
        /// Those that end in `!` are flawed, each by a sentence of its own.
        var paths: [String]
        var versions: [ModelVersion] = []
        var broken: [ModelVersion: String] = [:]
        var strays: [String] = []
        var flaws: [String] = []
        var problem: String?

        var testDescription: String { "\(self.kind): \(self.paths.joined(separator: " "))" }
    }

    static let bad = "version 2 cannot be served: "

    @Test(
        arguments: [
            // In a version, at any depth.
            Row(kind: .python, paths: ["1/a", "2/a", "2/b!"], versions: [1], broken: [2: bad + "no 2/b"]),
            Row(kind: .python, paths: ["1/a", "2/x/y!"], versions: [1], broken: [2: bad + "no 2/x/y"]),
            Row(kind: .onnx, paths: ["1/a.onnx", "2/a.onnx", "2/b!"], versions: [1], broken: [2: bad + "no 2/b"]),
            Row(kind: .neuron, paths: ["1/saved_model.pb", "2/x/y!"], versions: [1], broken: [2: bad + "no 2/x/y"]),
            Row(
                kind: .python,
                paths: ["1/a", "2/b!", "2/c!", "2/d!"],
                versions: [1],
                broken: [2: bad + "no 2/b (and 2 more)"]
            ),
            // The version itself.
            Row(kind: .python, paths: ["1/a", "2!"], versions: [1], broken: [2: bad + "no 2"]),
            Row(kind: .onnx, paths: ["1/a.onnx", "2!"], versions: [1], broken: [2: bad + "no 2"]),
            Row(kind: .python, paths: ["2!"], broken: [2: bad + "no 2"], problem: "m/: \(bad)no 2"),
            Row(kind: .onnx, paths: ["2!"], broken: [2: bad + "no 2"], problem: "m/: \(bad)no 2"),
            // Beside the versions.
            Row(kind: .python, paths: ["1/a", "2/a", "x!"], versions: [1, 2], flaws: ["no x"]),
            Row(kind: .onnx, paths: ["1/a.onnx", "x!", "y"], versions: [1], strays: ["y"], flaws: ["no x"]),
            Row(kind: .onnx, paths: ["1/a.onnx", "x/y!"], versions: [1], strays: ["x"]),
            // In a model without versions, whatever its name is.
            Row(kind: .python, paths: ["a", "x!"], problem: "m/: no x"),
            Row(kind: .python, paths: ["a", "2!"], problem: "m/: no 2"),
            Row(kind: .python, paths: ["a/b!", "c"], problem: "m/: no a/b"),
            Row(kind: .python, paths: ["x!"], problem: "m/: no x"),
            Row(kind: .python, paths: ["1/a", "README", "x!"], problem: "m/: no x"),
            Row(kind: .onnx, paths: ["a.onnx", "x!"], problem: "m/: no x"),
            Row(kind: .neuron, paths: ["2!", "saved_model.pb"], problem: "m/: no 2"),
            // What is hidden is not there.
            Row(kind: .python, paths: ["1/.x!", "1/a"], versions: [1]),
        ] as [Row]
    ) func `a flaw harms what it lies in`(row: Row) throws {
        let tree = ModelTree.read(try Self.listing(row.paths), kind: row.kind, shown: "m/")
        #expect(tree.versions.keys.sorted() == row.versions)
        #expect(tree.broken == row.broken)
        #expect(tree.strays == row.strays)
        #expect(tree.flaws == row.flaws)
        #expect(tree.problem == row.problem)
        #expect(tree.warnings.isEmpty)
    }

    @Test func `a flaw among models is none of them`() throws {
        let children = ModelTree.children(of: try Self.listing(["a/1/x", "a/2/y!", "notes", "z!"]))
        #expect(children.models.mapValues { $0.map(\.path) } == ["a": ["1/x", "2/y"]])
        #expect(children.models["a"]?.map(\.flaw) == [nil, "no a/2/y"])
        #expect(children.strays == ["notes"])
        #expect(children.flawed.mapValues(\.flaw) == ["z": "no z"])
    }

    static func listing(_ paths: [String]) throws -> [StoredObject] {
        try paths.map { path in
            guard path.hasSuffix("!") else { return try StoredObject(path: path, size: 3, modified: 0) }
            return try StoredObject(path: String(path.dropLast()), flaw: "no \(path.dropLast())")
        }.sorted(by: StoredObject.isOrdered)
    }
}
