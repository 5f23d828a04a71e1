import Testing

@testable import CortexModels

@Suite struct TreeDrawingTests {
    @Test func `folders are drawn as a tree`() {
        let drawing = TreeDrawing.found(
            "s3://bucket/iris",
            .listing(["1/model.onnx", "1/labels/a.txt", "1/labels/b.txt", "1-old/x", "labels.txt"])
        )
        #expect(
            drawing == """
                s3://bucket/iris/
                ├── 1-old/
                │   └── x
                ├── 1/
                │   ├── labels/
                │   │   ├── a.txt
                │   │   └── b.txt
                │   └── model.onnx
                └── labels.txt
                """
        )
    }

    @Test func `a long listing is cut and counted`() {
        let paths = (10...70).map { "\($0)/x" }
        let lines = TreeDrawing.found("m/", .listing(paths)).split(separator: "\n")
        #expect(lines.count == 52)
        #expect(lines[50] == "│   └── x")
        #expect(lines[51] == "… and 72 more")
    }

    @Test func `names cannot act on the terminal`() {
        #expect(TreeDrawing.found("m", .listing(["a\u{202E}b"])) == "m/\n└── a\\u{202e}b")
    }

    @Test func `a tensorflow model is expected in one of two layouts`() {
        #expect(
            TreeDrawing.expected("models/iris/", .tensorflow) == """
                models/iris/
                ├── saved_model.pb
                └── variables/
                    ├── variables.data-00000-of-00001
                    └── variables.index
                or
                models/iris/
                ├── 1/
                │   ├── saved_model.pb
                │   └── variables/
                │       ├── variables.data-00000-of-00001
                │       └── variables.index
                └── 2/
                    └── …
                """
        )
    }

    @Test(arguments: [
        (ModelKind.python, "(any files)"), (.neuron, "saved_model.pb"), (.onnx, "model.onnx"),
    ]) func `other models are expected in theirs`(kind: ModelKind, file: String) {
        #expect(
            TreeDrawing.expected("m/", kind) == """
                m/
                └── \(file)
                or
                m/
                ├── 1/
                │   └── \(file)
                └── 2/
                    └── …
                """
        )
    }
}
