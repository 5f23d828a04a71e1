import CortexModels
import CortexSpec
import Testing

@Suite(.timeLimit(.minutes(1))) struct ModelCheckTests {
    private func request(_ type: PredictorType, _ models: ModelsSpec) throws -> ModelRequest {
        try self.request(PredictorSpec(type: type, path: "p.py", models: models))
    }

    private func request(_ predictor: PredictorSpec) throws -> ModelRequest {
        let name = try #require(APIName("iris"))
        let spec = APISpec(name: name, predictor: predictor, networking: NetworkingSpec(endpoint: "/iris"))
        return try #require(ModelRequest(spec: spec, folders: ["/project"], environment: [:], home: nil))
    }

    private func problems(
        _ listings: [String: [String]],
        _ request: ModelRequest
    ) async -> [FieldProblem] {
        let storage = ScriptedStorage(
            Dictionary(
                uniqueKeysWithValues: listings.map { (ModelLocation.folder("/project/\($0)"), .success(.listing($1))) }
            )
        )
        return await ModelCheck(storage: storage).problems(of: request)
    }

    @Test func `a right model has no problem`() async throws {
        let request = try self.request(PredictorSpec(type: .onnx, path: "p.py", modelPath: "m/"))
        #expect(await self.problems(["m": ["1/a.onnx", "2/a.onnx"]], request).isEmpty)
    }

    @Test func `a wrong model is drawn beside what is expected`() async throws {
        let request = try self.request(PredictorSpec(type: .onnx, path: "p.py", modelPath: "m/"))
        let problems = await self.problems(["m": ["1/a.onnx", "1/labels.txt", "2/a.onnx", ".git/x"]], request)
        #expect(
            problems == [
                FieldProblem(
                    field: "predictor.model_path",
                    message: "m/: version 1 has labels.txt beside a.onnx, and must hold one .onnx file only",
                    allowed: "it must be a folder of ONNX versions, or one ONNX model",
                    detail: """
                        expected:
                        m/
                        └── model.onnx
                        or
                        m/
                        ├── 1/
                        │   └── model.onnx
                        └── 2/
                            └── …
                        found:
                        m/
                        ├── 1/
                        │   ├── a.onnx
                        │   └── labels.txt
                        └── 2/
                            └── a.onnx
                        """
                )
            ]
        )
    }

    @Test func `all that is wrong with a model is told at once`() async throws {
        var request = try self.request(PredictorSpec(type: .tensorflow, path: "p.py", modelPath: "m/"))
        request.kind = .neuron
        let problems = await self.problems(["m": ["1/saved_model.pb", "2/a", "3/b", "README"]], request)
        #expect(
            problems.map(\.message) == [
                "m/: version 2 has no saved_model.pb, version 3 has no saved_model.pb, and README stands beside the "
                    + "versions"
            ]
        )
    }

    @Test func `an empty folder shows what is expected only`() async throws {
        let request = try self.request(PredictorSpec(type: .python, path: "p.py", modelPath: "m/"))
        let problems = await self.problems(["m": []], request)
        #expect(problems.map(\.message) == ["m/ is empty"])
        #expect(problems.first?.detail?.contains("expected:") == true)
        #expect(problems.first?.detail?.contains("found:") == false)
    }

    @Test func `a mixed python model is a warning`() async throws {
        let request = try self.request(PredictorSpec(type: .python, path: "p.py", modelPath: "m/"))
        let problems = await self.problems(["m": ["1/a", "README"]], request)
        #expect(problems.map(\.severity) == [.warning])
    }

    @Test func `every model has the problem of its own place`() async throws {
        let models = ModelsSpec(paths: [
            NamedModelSpec(name: "a", modelPath: "a/"), NamedModelSpec(name: "b", modelPath: "b/"),
            NamedModelSpec(name: "c", modelPath: "c/"), NamedModelSpec(name: "again", modelPath: "b/"),
        ])
        let problems = await self.problems(["a": ["x.onnx"], "b": ["x"]], try self.request(.onnx, models))
        #expect(
            problems.map(\.description) == [
                "predictor.models.paths[1].model_path: b/ has no .onnx file; it must be a folder of ONNX versions, or "
                    + "one ONNX model",
                "predictor.models.paths[2].model_path: there is no such place; it must be a folder: "
                    + "s3://bucket/folder, or a path",
                "predictor.models.paths[3].model_path: b/ has no .onnx file; it must be a folder of ONNX versions, or "
                    + "one ONNX model",
            ]
        )
    }

    @Test func `a store that does not answer is a problem`() async throws {
        let request = try self.request(PredictorSpec(type: .onnx, path: "p.py", modelPath: "s3://b/m/"))
        let location = ModelLocation.remote(RemoteLocation(url: "s3://b/m/"))
        let sentence = "http://127.0.0.1:9 does not answer; check AWS_ENDPOINT_URL"
        let storage = ScriptedStorage([location: .failure(.unreachable(sentence))])
        let problems = await ModelCheck(storage: storage).problems(of: request)
        #expect(problems == [FieldProblem(field: "predictor.model_path", message: sentence)])
    }

    @Test func `all models of a folder must be right`() async throws {
        let request = try self.request(.onnx, ModelsSpec(directory: "all/"))
        let paths = ["good/1/a.onnx", "bad/a.onnx", "bad/b.onnx", "notes.txt", "_cortex_default/a.onnx"]
        let problems = await self.problems(["all": paths], request)
        #expect(problems.allSatisfy { $0.field == "predictor.models.dir" && $0.severity == .error })
        #expect(
            problems.map(\.message) == [
                "notes.txt in all/ is a file, not a model's folder",
                "_cortex_default is kept for the model of model_path",
                "all/bad/ has 2 .onnx files: a.onnx and b.onnx",
            ]
        )
        #expect(problems.last?.detail?.contains("found:\nall/bad/\n├── a.onnx\n└── b.onnx") == true)
    }

    @Test func `of very many wrong models the first are told and the others counted`() async throws {
        let request = try self.request(.onnx, ModelsSpec(directory: "all/"))
        let problems = await self.problems(["all": (10..<40).map { "m\($0)/x" }], request)
        #expect(problems.count == 11)
        #expect(problems.first?.message == "all/m10/ has no .onnx file")
        #expect(problems.last?.message == "20 more models in all/ are not valid")
    }

    @Test func `what is flawed is a problem, and drawn as it is shown`() async throws {
        let objects = try FlawedTreeTests.listing([#"bad\xff!"#, "iris/1/a.onnx", "iris/2/a.onnx", #"iris/2/a\u{9}!"#])
        let storage = ScriptedStorage([.folder("/project/all"): .success(objects)])
        let request = try self.request(.onnx, ModelsSpec(directory: "all/"))
        let problems = await ModelCheck(storage: storage).problems(of: request)
        #expect(
            problems.map(\.message) == [
                #"all/: no bad\xff"#, #"all/iris/: version 2 cannot be served: no iris/2/a\u{9}"#,
            ]
        )
        #expect(problems.allSatisfy { $0.severity == .error })
        #expect(problems.first?.detail?.contains("├── bad\\xff\n") == true)
        #expect(problems.last?.detail?.contains("└── a\\u{9}") == true)
    }

    @Test func `what is flawed beside versions is a problem at deploy`() async throws {
        let request = try self.request(PredictorSpec(type: .python, path: "p.py", modelPath: "m/"))
        let storage = ScriptedStorage([.folder("/project/m"): .success(try FlawedTreeTests.listing(["1/a", "x!"]))])
        let problems = await ModelCheck(storage: storage).problems(of: request)
        #expect(problems.map(\.message) == ["m/: no x"])
        #expect(problems.allSatisfy { $0.severity == .error })
    }

    @Test func `an empty folder of models is a problem`() async throws {
        let problems = await self.problems(["all": []], try self.request(.onnx, ModelsSpec(directory: "all/")))
        #expect(problems.map(\.message) == ["all/ is empty"])
    }

    @Test func `a place that several APIs share is listed once and at most eight at a time`() async throws {
        let paths = (0..<30).map { NamedModelSpec(name: "m\($0)", modelPath: "p\($0 / 2)/") }
        let request = try self.request(.python, ModelsSpec(paths: paths))
        let listings = (0..<15).map { (ModelLocation.folder("/project/p\($0)"), [StoredObject].listing(["x"])) }
        let storage = ScriptedStorage(Dictionary(uniqueKeysWithValues: listings).mapValues { .success($0) })
        let problems = await ModelCheck(storage: storage).problems(of: [request, request])
        #expect(problems == [[], []])
        #expect(storage.asked.count == 15)
        #expect(Set(storage.asked).count == 15)
        #expect((2...8).contains(storage.mostRunning))
    }
}
