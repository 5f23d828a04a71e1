import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Testing

@testable import CortexKubernetesProvider

struct ServingContainerTests {
    private let predictor =
        "{type: tensorflow, path: predictor.py, model_path: s3://b/m/, tensorflow_serving_image: example.com/serving:2}"

    private func template(_ yaml: String = "") throws -> KubernetesObject {
        let spec = try Sample.spec(predictor: self.predictor, yaml: yaml)
        let deployment = Deployment(id: "id1", version: 1, spec: spec, project: String(repeating: "a", count: 64))
        return KubernetesObject(Sample.template(deployment).json)
    }

    private func container(_ name: String, _ template: KubernetesObject) throws -> JSONValue {
        try #require(template["spec", "containers"]?.array?.first { $0["name"]?.string == name })
    }

    @Test func `a server is started before its worker, which is told where it is`() throws {
        let template = try self.template()
        let names = (template["spec", "containers"]?.array ?? []).compactMap { $0["name"]?.string }
        #expect(names == ["tensorflow-serving", "api"])
        #expect(template["metadata", "annotations", "kubectl.kubernetes.io/default-container"] == "api")
        let serving = try self.container("tensorflow-serving", template)
        #expect(serving["image"] == "example.com/serving:2")
        #expect(serving["args"] == ["--port=9000", "--model_config_file=/cortex/home/serving/models.config"])
        let prepare = try #require(template["spec", "initContainers"]?.array?.last)
        for container in [try self.container("api", template), prepare] {
            let variables = container["env"]?.array ?? []
            let values = variables.compactMap { $0["value"]?.string }
            #expect(values.contains("127.0.0.1:9000") && values.contains("/cortex/home/serving"))
        }
    }

    @Test func `they share what their replica asks for`() throws {
        let template = try self.template("  compute: {cpu: 1, mem: 2Gi, gpu: 1}")
        let serving = try self.container("tensorflow-serving", template)["resources"]
        #expect(serving?["requests"] == ["cpu": "500m", "memory": "1Gi", "nvidia.com/gpu": "1"])
        #expect(serving?["limits"] == ["memory": "2Gi", "nvidia.com/gpu": "1"])
        let api = try self.container("api", template)["resources"]
        #expect(api?["requests"] == ["cpu": "500m", "memory": "1Gi"])
        #expect(api?["limits"] == ["memory": "2Gi"])
    }

    @Test func `without an image there is none`() throws {
        let template = KubernetesObject(Sample.template(try Sample.deployment()).json)
        #expect((template["spec", "containers"]?.array ?? []).compactMap { $0["name"]?.string } == ["api"])
        #expect(!"\(template.json)".contains("TENSORFLOW_SERVING"))
    }
}
