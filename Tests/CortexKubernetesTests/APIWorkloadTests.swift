import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Foundation
import Testing

@testable import CortexKubernetesProvider

struct APIWorkloadTests {
    private func workload(_ deployment: Deployment, replicas: Int = 2) -> APIWorkload {
        APIWorkload(
            deployment: deployment,
            template: Sample.template(deployment),
            replicas: replicas,
            maker: ObjectMaker(api: deployment.spec.name, owner: "uid-1", kind: .realtimeAPIs, namespace: "cortex"),
            disruptionBudgets: .disruptionBudgets.at("v1beta1")
        )
    }

    @Test func `all of an API belongs to its object`() throws {
        let items = try self.workload(try Sample.deployment()).items()
        #expect(
            items.map { "\($0.object.kind) \($0.object.name)" }.dropFirst() == [
                "Service api-iris", "Service api-iris-replicas", "Deployment api-iris", "PodDisruptionBudget api-iris",
            ]
        )
        for item in items {
            #expect(item.object["metadata", "ownerReferences"]?.array?.first?["uid"] == "uid-1")
            #expect(item.object.labels["cortex.dev/api"] == "iris")
            #expect(item.object.annotations["cortex.dev/applied"] == item.hash)
            #expect(item.object.namespace == "cortex")
        }
        #expect(items.last?.object.apiVersion == "policy/v1beta1")
    }

    @Test func `the service of an API selects gateways, the headless one its replicas`() throws {
        let services = try self.workload(try Sample.deployment()).items().filter { $0.resource == .services }
        #expect(services[0].object["spec", "selector", "app.kubernetes.io/component"] == "gateway")
        #expect(services[1].object["spec", "selector", "cortex.dev/api"] == "iris")
        #expect(services[1].object["spec", "clusterIP"] == "None")
        #expect(services[1].object.labels["cortex.dev/role"] == "replicas")
    }

    @Test func `the deployment comes back from its secret as it was`() throws {
        let deployment = try Sample.deployment(3, yaml: "  autoscaling: {min_replicas: 2}")
        let secret = try #require(try self.workload(deployment).items().first?.object)
        let text = try #require(secret["data", "deployment.json"]?.string.flatMap { Data(base64Encoded: $0) })
        #expect(try StateJSON.specDecoder().decode(Deployment.self, from: text) == deployment)
    }

    @Test func `compute becomes requests and limits`() throws {
        let deployment = try Sample.deployment(yaml: "  compute: {cpu: 200m, mem: 1Gi, gpu: 2}")
        let object = try #require(try self.workload(deployment).items().first { $0.resource == .deployments }?.object)
        let containers = object["spec", "template", "spec", "containers"]?.array ?? []
        #expect(containers.first?["resources"]?["requests"] == ["cpu": "200m", "memory": "1Gi", "nvidia.com/gpu": "2"])
        #expect(containers.first?["resources"]?["limits"] == ["memory": "1Gi", "nvidia.com/gpu": "2"])
        let prepare = object["spec", "template", "spec", "initContainers"]?.array?.last
        #expect(prepare?["resources"]?["limits"] == ["memory": "1Gi"])
    }

    @Test func `the update strategy is the Deployment's`() throws {
        let deployment = try Sample.deployment(yaml: "  update_strategy: {max_surge: 1, max_unavailable: 30%}")
        let object = try #require(try self.workload(deployment).items().first { $0.resource == .deployments }?.object)
        #expect(object["spec", "strategy", "rollingUpdate"] == ["maxSurge": 1, "maxUnavailable": "30%"])
    }

    @Test func `only what workers are started from replaces pods`() throws {
        let base = Sample.template(try Sample.deployment()).hash
        #expect(base.utf8.count == 10)
        for yaml in ["  autoscaling: {max_replicas: 7}", "  networking: {endpoint: /other, timeout: 2m}"] {
            #expect(Sample.template(try Sample.deployment(2, yaml: yaml)).hash == base)
        }
        for yaml in ["  compute: {cpu: 1}"] {
            #expect(Sample.template(try Sample.deployment(yaml: yaml)).hash != base)
        }
        #expect(Sample.template(try Sample.deployment(project: "b")).hash != base)
        var refreshed = try Sample.deployment()
        refreshed.generation = 1
        #expect(Sample.template(refreshed).hash != base)
        var settings = Sample.settings
        settings.image = "localhost/cortex:2"
        #expect(Sample.template(try Sample.deployment(), settings).hash != base)
    }

    @Test func `pods are not replaced by a deployment with the same workers`() throws {
        let first = try Sample.deployment()
        let second = try Sample.deployment(2, yaml: "  networking: {timeout: 2m}")
        #expect(Sample.template(first).json == Sample.template(second, version: 1).json)
    }

    @Test func `wheels of the nodes are mounted, those of a server are named`() throws {
        var settings = Sample.settings
        settings.wheels = "/srv/wheels"
        let mounted = "\(Sample.template(try Sample.deployment(), settings).json)"
        #expect(mounted.contains("/srv/wheels") && mounted.contains("UV_OFFLINE"))
        settings.wheels = "http://wheels.example.com/"
        let named = "\(Sample.template(try Sample.deployment(), settings).json)"
        #expect(named.contains("http://wheels.example.com/") && !named.contains("UV_OFFLINE"))
    }
}
