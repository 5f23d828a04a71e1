import CortexControlPlane
import CortexSpec
import Testing

@testable import CortexKubernetesProvider

struct APIViewTests {
    private func view(_ deployment: Deployment, desired: Int = 1, serving: Deployment? = nil) -> APIView {
        APIView(
            wanted: deployment,
            serving: serving,
            desired: desired,
            template: Sample.template(deployment).hash
        )
    }

    private func put(_ name: String, _ status: JSONValue, _ view: inout APIView, of deployment: Deployment) {
        let template = Sample.template(deployment).hash
        view.pods[name] = PodView(Sample.pod(name, template: template, version: deployment.version, status: status))
    }

    @Test func `a version is live when as many as have to be are ready`() throws {
        let first = try Sample.deployment(yaml: "  autoscaling: {min_replicas: 2, init_replicas: 2}")
        var view = self.view(first, desired: 2)
        #expect(view.status.code == .updating)
        self.put("a", Sample.ready, &view, of: first)
        #expect(view.settle().isEmpty)
        #expect(view.status.reason == "1 of 2 replicas is ready")
        self.put("b", Sample.ready, &view, of: first)
        #expect(view.settle().map(\.kind) == [.live])
        #expect(view.status.code == .live)
        #expect(view.serving?.id == first.id)
    }

    @Test func `an update that fails is told once, and the version before serves on`() throws {
        let first = try Sample.deployment()
        let second = try Sample.deployment(2, project: "b")
        var view = self.view(second, serving: first)
        self.put("old", Sample.ready, &view, of: first)
        self.put("new", Sample.crashed("boom"), &view, of: second)
        let told = view.settle()
        #expect(told.map(\.kind) == [.failed])
        #expect(told.first?.message == "boom")
        #expect(view.settle().isEmpty)
        #expect(view.status.code == .rolloutFailed)
        #expect(view.status.reason == "boom")
        #expect(view.serving?.id == first.id)
        #expect(view.counts == ReplicaCounts(requested: 1, ready: 0, stale: 1, failed: 1))
        // A later start that succeeds makes it good.
        self.put("new", Sample.ready, &view, of: second)
        #expect(view.settle().map(\.kind) == [.live])
        #expect(view.status.code == .live)
    }

    @Test func `a first version that fails is an error`() throws {
        let first = try Sample.deployment()
        var view = self.view(first)
        self.put("a", Sample.crashed("boom", container: "prepare"), &view, of: first)
        #expect(view.settle().map(\.kind) == [.failed])
        #expect(view.status.code == .error)
        #expect(!view.isAsleep)
    }

    @Test func `what only needs other settings is live at once with the pods that are there`() throws {
        let first = try Sample.deployment()
        let second = try Sample.deployment(2, yaml: "  networking: {timeout: 1m}")
        #expect(Sample.template(first).hash == Sample.template(second).hash)
        var view = self.view(first)
        self.put("a", Sample.ready, &view, of: first)
        _ = view.settle()
        view.wanted = second
        view.rollout = .running
        #expect(view.settle().map(\.kind) == [.live])
        #expect(view.serving?.version == 2)
    }

    @Test func `a version that may sleep comes up once before it does`() throws {
        let yaml = "  autoscaling: {min_replicas: 0, init_replicas: 0}"
        let first = try Sample.deployment(yaml: yaml)
        var view = self.view(first, desired: 0)
        #expect(view.replicas == 1)
        #expect(!view.isAsleep)
        self.put("a", Sample.ready, &view, of: first)
        #expect(view.settle().map(\.kind) == [.live])
        #expect(view.replicas == 0)
        view.pods = [:]
        _ = view.settle()
        #expect(view.isAsleep)
        #expect(view.status.code == .live)
    }

    @Test func `one that slept when the operator ended sleeps on`() throws {
        var first = try Sample.deployment(yaml: "  autoscaling: {min_replicas: 0}")
        first.wasLive = true
        var view = self.view(first, desired: 0, serving: first)
        #expect(view.settle().isEmpty)
        #expect(view.replicas == 0)
        #expect(view.isAsleep)
    }

    @Test func `requests are held from sleep until the first replica is ready`() throws {
        var first = try Sample.deployment(yaml: "  autoscaling: {min_replicas: 0}")
        first.wasLive = true
        var view = self.view(first, desired: 0, serving: first)
        _ = view.settle()
        view.desired = 1
        view.isWaking = true
        #expect(view.isAsleep)
        #expect(view.status.code == .live)
        self.put("a", Sample.ready, &view, of: first)
        _ = view.settle()
        #expect(!view.isWaking)
        #expect(!view.isAsleep)
    }

    @Test func `what the cluster has no room for is told`() throws {
        let first = try Sample.deployment()
        var view = self.view(first)
        let status: JSONValue = [
            "phase": "Pending",
            "conditions": [
                ["type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"]
            ],
        ]
        self.put("a", status, &view, of: first)
        #expect(view.settle().isEmpty)
        #expect(view.status.code == .computeUnavailable)
        #expect(view.status.reason == "no room")
    }

    @Test func `pods that a quota forbids are told of`() throws {
        var view = self.view(try Sample.deployment())
        view.shortage = "pods \"api-iris-1\" is forbidden: exceeded quota: small"
        #expect(view.settle().isEmpty)
        #expect(view.status.code == .computeUnavailable)
        #expect(view.status.reason == view.shortage)
    }

    @Test func `a replica that was live and ends again and again is a crash loop`() throws {
        let first = try Sample.deployment()
        var view = self.view(first)
        self.put("a", Sample.ready, &view, of: first)
        _ = view.settle()
        self.put("a", Sample.crashed("boom", restarts: 4), &view, of: first)
        #expect(view.settle().isEmpty)
        #expect(view.status.code == .crashLoop)
        #expect(view.status.reason == "a was started 5 times: boom")
    }

    @Test func `what the cluster refuses fails the deploy`() throws {
        var view = self.view(try Sample.deployment())
        view.refusal = "apply deployments api-iris: exceeded quota"
        #expect(view.settle().map(\.kind) == [.failed])
        #expect(view.status.code == .error)
        #expect(view.counts.failed == 1)
    }
}
