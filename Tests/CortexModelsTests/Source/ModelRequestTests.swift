import CortexModels
import CortexSpec
import Testing

@Suite struct ModelRequestTests {
    private func request(
        _ predictor: PredictorSpec,
        compute: ComputeSpec = ComputeSpec(),
        environment: [String: String] = [:]
    ) throws -> ModelRequest? {
        let name = try #require(APIName("iris"))
        let spec = APISpec(
            name: name,
            predictor: predictor,
            networking: NetworkingSpec(endpoint: "/iris"),
            compute: compute
        )
        return ModelRequest(spec: spec, folders: ["/project"], environment: environment, home: "/home/ada")
    }

    @Test func `an API without models asks for nothing`() throws {
        #expect(try self.request(PredictorSpec(path: "predictor.py")) == nil)
    }

    @Test func `one model is asked for by model_path`() throws {
        let predictor = PredictorSpec(
            type: .tensorflow,
            path: "p.py",
            modelPath: "models/",
            signatureKey: "predict"
        )
        let request = try #require(try self.request(predictor, compute: ComputeSpec(inf: 1)))
        #expect(
            request.models
                == .single(
                    ModelSource(
                        location: .folder("/project/models"),
                        shown: "models/",
                        signatureKey: "predict",
                        field: "predictor.model_path"
                    )
                )
        )
        #expect(request.kind == .neuron)
        #expect(!request.isCached)
    }

    @Test func `several models have their own signature or the common one`() throws {
        let models = ModelsSpec(
            paths: [
                NamedModelSpec(name: "a", modelPath: "s3://b/a/", signatureKey: "own"),
                NamedModelSpec(name: "b", modelPath: "b/"),
            ],
            signatureKey: "common",
            cacheSize: 2,
            diskCacheSize: 3
        )
        let predictor = PredictorSpec(type: .tensorflow, path: "p.py", models: models)
        let environment = ["AWS_REGION": "eu-west-1", "PATH": "/bin", "AZURE_X": "1", "GOOGLE_X": "2", "MY_AWS_X": "3"]
        let request = try #require(try self.request(predictor, environment: environment))
        guard case .named(let named) = request.models else {
            Issue.record("\(request.models)")
            return
        }
        #expect(named.map(\.name) == ["a", "b"])
        #expect(named.map(\.source.signatureKey) == ["own", "common"])
        #expect(
            named.map(\.source.field) == [
                "predictor.models.paths[0].model_path", "predictor.models.paths[1].model_path",
            ]
        )
        let options = ["AWS_REGION": "eu-west-1", "AZURE_X": "1", "GOOGLE_X": "2"]
        #expect(named[0].source.location == .remote(RemoteLocation(url: "s3://b/a/", options: options)))
        #expect(named[1].source.location == .folder("/project/b"))
        #expect(request.isCached)
        #expect(request.diskCacheSize == 3)
    }

    @Test func `a folder of models is asked for by dir`() throws {
        let models = ModelsSpec(directory: "~/models/", cacheMemory: .mebibytes(10))
        let request = try #require(try self.request(PredictorSpec(path: "p.py", models: models)))
        guard case .directory(let source) = request.models else {
            Issue.record("\(request.models)")
            return
        }
        #expect(source.location == .folder("/home/ada/models"))
        #expect(source.field == "predictor.models.dir")
        #expect(request.cacheMemory == 10 << 20)
        #expect(request.isCached)
    }

    @Test func `a path that names no place is a problem`() throws {
        let models = ModelsSpec(paths: [
            NamedModelSpec(name: "a", modelPath: "hdfs://x/"), NamedModelSpec(name: "b", modelPath: "b/"),
        ])
        let request = try #require(try self.request(PredictorSpec(path: "p.py", models: models)))
        #expect(request.problems.map(\.field) == ["predictor.models.paths[0].model_path"])
        #expect(request.problems.first?.message == "hdfs:// is not supported")
        #expect(request.sources.map(\.name) == ["b"])
    }
}
