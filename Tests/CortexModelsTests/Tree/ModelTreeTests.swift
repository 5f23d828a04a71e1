import CortexModels
import Testing

@Suite struct ModelTreeTests {
    /// What a tree is expected to mean.
    struct Meaning: Sendable {
        /// Versions with the prefix of their files.
        var versions: [ModelVersion: String] = [:]
        var broken: [ModelVersion: String] = [:]
        var strays: [String] = []
        var problem: String?
        var warnings: [String] = []
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var kind: ModelKind
        var paths: [String]
        var meaning: Meaning

        init(_ kind: ModelKind, _ paths: [String], _ meaning: Meaning) {
            self.kind = kind
            self.paths = paths
            self.meaning = meaning
        }

        var testDescription: String { "\(self.kind): \(self.paths.joined(separator: " "))" }
    }

    @Test(arguments: [
        Row(.python, ["model.pkl"], Meaning(versions: [1: ""])),
        Row(.python, ["a/b/c"], Meaning(versions: [1: ""])),
        Row(.python, ["1/model.pkl", "2/data/weights", "10/x"], Meaning(versions: [1: "1/", 2: "2/", 10: "10/"])),
        Row(.python, ["0/model.pkl"], Meaning(versions: [0: "0/"])),
        Row(
            .python,
            ["9223372036854775807/x"],
            Meaning(versions: [9_223_372_036_854_775_807: "9223372036854775807/"])
        ),
        // No version, so that the folder as a whole is the model.
        Row(.python, ["007/x"], Meaning(versions: [1: ""])),
        Row(.python, ["-1/x"], Meaning(versions: [1: ""])),
        Row(.python, ["+1/x"], Meaning(versions: [1: ""])),
        Row(.python, ["²/x"], Meaning(versions: [1: ""])),
        Row(.python, ["9223372036854775808/x"], Meaning(versions: [1: ""])),
        Row(
            .python,
            ["1/model.pkl", "2/model.pkl", "README"],
            Meaning(
                versions: [1: ""],
                warnings: [
                    "models/iris/ holds README beside 1 and 2, so that it is one model without versions, not one for "
                        + "each number"
                ]
            )
        ),
        Row(.python, ["1/x", "2"], Meaning(versions: [1: "1/"], broken: [2: "version 2 is a file, not a folder"])),
        Row(
            .python,
            ["2", "model.pkl"],
            Meaning(
                broken: [2: "version 2 is a file, not a folder"],
                problem: "models/iris/: 2 is a file, and a number is the name of a version's folder"
            )
        ),
        // Hidden names are no part of the tree.
        Row(.python, [".DS_Store", "1/x"], Meaning(versions: [1: "1/"])),
        Row(.python, ["1/.ipynb_checkpoints/x", "2/x"], Meaning(versions: [2: "2/"])),
    ]) func `python models may hold anything`(row: Row) {
        self.expect(row)
    }

    @Test(
        arguments: [
            Row(.tensorflow, Self.savedModel(""), Meaning(versions: [1: ""])),
            Row(
                .tensorflow,
                Self.savedModel("") + ["assets/vocabulary", "fingerprint.pb", "keras_metadata.pb"],
                Meaning(versions: [1: ""])
            ),
            Row(.tensorflow, Self.savedModel("1/") + Self.savedModel("2/"), Meaning(versions: [1: "1/", 2: "2/"])),
            Row(
                .tensorflow,
                ["saved_model.pbtxt"] + Self.variables(""),
                Meaning(
                    problem: "models/iris/ has saved_model.pbtxt, which is not served, and no saved_model.pb"
                )
            ),
            Row(
                .tensorflow,
                ["saved_model.pb"],
                Meaning(
                    problem: "models/iris/ has no variables/variables.index and no variables/variables.data-00000-of-…"
                )
            ),
            Row(
                .tensorflow,
                ["saved_model.pb", "variables/variables.index", "variables/variables.data-00001-of-00002"],
                Meaning(
                    problem: "models/iris/ has no variables/variables.data-00000-of-…"
                )
            ),
            // The variables' files stand in variables/ itself.
            Row(
                .tensorflow,
                ["saved_model.pb"] + Self.variables("variables/"),
                Meaning(
                    problem: "models/iris/ has no variables/variables.index and no variables/variables.data-00000-of-…"
                )
            ),
            Row(
                .tensorflow,
                ["1/saved_model.pb"] + Self.savedModel("2/"),
                Meaning(
                    versions: [2: "2/"],
                    broken: [1: "version 1 has no variables/variables.index and no variables/variables.data-00000-of-…"]
                )
            ),
            Row(
                .tensorflow,
                Self.savedModel("1/") + ["labels.txt", "notes/a"],
                Meaning(
                    versions: [1: "1/"],
                    strays: ["labels.txt", "notes"]
                )
            ),
            // Both layouts at once.
            Row(
                .tensorflow,
                Self.savedModel("") + Self.savedModel("1/"),
                Meaning(
                    versions: [1: "1/"],
                    strays: ["saved_model.pb", "variables"]
                )
            ),
            Row(
                .tensorflow,
                ["1/a", "2/b"],
                Meaning(
                    broken: [1: "version 1 has no saved_model.pb", 2: "version 2 has no saved_model.pb"],
                    problem: "models/iris/: version 1 has no saved_model.pb, version 2 has no saved_model.pb"
                )
            ),
            Row(.neuron, ["saved_model.pb"], Meaning(versions: [1: ""])),
            Row(
                .neuron,
                ["1/saved_model.pb", "2/other"],
                Meaning(
                    versions: [1: "1/"],
                    broken: [2: "version 2 has no saved_model.pb"]
                )
            ),
        ] as [Row]
    ) func `tensorflow models are saved models`(row: Row) {
        self.expect(row)
    }

    @Test(
        arguments: [
            Row(.onnx, ["model.onnx"], Meaning(versions: [1: ""])),
            Row(.onnx, ["1/a.onnx", "2/b.onnx"], Meaning(versions: [1: "1/", 2: "2/"])),
            Row(.onnx, ["a.onnx", "b.onnx"], Meaning(problem: "models/iris/ has 2 .onnx files: a.onnx and b.onnx")),
            Row(
                .onnx,
                ["a.onnx", "labels.txt"],
                Meaning(
                    problem: "models/iris/ has labels.txt beside a.onnx, and must hold one .onnx file only"
                )
            ),
            Row(.onnx, ["x.onnx/data"], Meaning(problem: "models/iris/ has x.onnx, which is a folder and not a file")),
            Row(
                .onnx,
                ["x.ONNX"],
                Meaning(
                    problem: "models/iris/ has x.ONNX, whose name must end in .onnx, in small letters"
                )
            ),
            Row(.onnx, ["notes.txt"], Meaning(problem: "models/iris/ has no .onnx file")),
            Row(.onnx, ["1/a.onnx", "README"], Meaning(versions: [1: "1/"], strays: ["README"])),
            Row(.onnx, ["1/a.onnx", "3"], Meaning(versions: [1: "1/"], strays: ["3"])),
            Row(
                .onnx,
                ["1/a.onnx", "2/a.onnx", "2/b.onnx"],
                Meaning(
                    versions: [1: "1/"],
                    broken: [2: "version 2 has 2 .onnx files: a.onnx and b.onnx"]
                )
            ),
            Row(.onnx, ["1/a.onnx", "01/a.onnx"], Meaning(versions: [1: "1/"], strays: ["01"])),
        ] as [Row]
    ) func `onnx models are one file each`(row: Row) {
        self.expect(row)
    }

    @Test(arguments: [ModelKind.python, .tensorflow, .neuron, .onnx])
    func `nothing is no model`(kind: ModelKind) {
        #expect(ModelTree.read([], kind: kind, shown: "models/iris/").problem == "models/iris/ is empty")
        let hidden = ModelTree.read(.listing([".DS_Store"]), kind: kind, shown: "models/iris/")
        #expect(hidden.problem == "models/iris/ is empty")
        #expect(hidden.versions.isEmpty)
    }

    @Test func `a version has the files below its folder and no others`() {
        let tree = ModelTree.read(.listing(["1/a", "1/b/c", "10/a", "2/a"]), kind: .python, shown: "x/")
        #expect(tree.versions[1]?.objects.map(\.path) == ["1/a", "1/b/c"])
        #expect(tree.versions[10]?.objects.map(\.path) == ["10/a"])
    }

    @Test func `the models of a folder are told apart by whole names`() {
        let children = ModelTree.children(
            of: .listing(["app/1/x", "apple/1/x", "apple/1/y", "notes.txt", ".../1/x", ".git/config", "….x/1/y"])
        )
        #expect(Set(children.models.keys) == ["...", "app", "apple", "….x"])
        #expect(children.models["app"]?.map(\.path) == ["1/x"])
        #expect(children.models["apple"]?.map(\.path) == ["1/x", "1/y"])
        #expect(children.strays == ["notes.txt"])
    }

    private func expect(_ row: Row) {
        let tree = ModelTree.read(.listing(row.paths), kind: row.kind, shown: "models/iris/")
        #expect(tree.versions.mapValues(\.prefix) == row.meaning.versions)
        #expect(tree.broken == row.meaning.broken)
        #expect(tree.strays == row.meaning.strays)
        #expect(tree.problem == row.meaning.problem)
        #expect(tree.warnings == row.meaning.warnings)
    }

    private static func savedModel(_ folder: String) -> [String] {
        ["\(folder)saved_model.pb"] + Self.variables(folder)
    }

    private static func variables(_ folder: String) -> [String] {
        ["\(folder)variables/variables.index", "\(folder)variables/variables.data-00000-of-00001"]
    }
}
