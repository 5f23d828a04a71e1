import CortexSpec
import Foundation
import Testing

@testable import CortexControlPlane

/// Only what an API uses decides whether it restarts.
@Suite struct DeploymentIdentityTests {
    private static let base = """
        - name: iris
          kind: RealtimeAPI
          predictor:
            type: python
            path: predictor.py
            config: {a: 1, b: {c: 2, d: [1, 2]}}
        """

    private func identity(_ config: String, project: String = "p") throws -> DeploymentIdentity {
        let specs = try ConfigCheck(files: ["predictor.py", "src/x.py"]).specs(in: config, file: "cortex.yaml")
        return try DeploymentIdentity(spec: try #require(specs.first), project: project)
    }

    @Test(arguments: [
        // comments and form
        "# why\n" + Self.base + "  # the end\n",
        """
        {"kind": "RealtimeAPI", "name": "iris", "predictor":
          {"path": "./predictor.py", "config": {"b": {"d": [1, 2], "c": 2}, "a": 1}, "type": "python"}}
        """,
        // defaults written out
        Self.base + "\n  networking: {endpoint: /iris}\n",
        Self.base + "\n  compute: {gpu: 0}\n  autoscaling: {min_replicas: 1, max_replica_concurrency: 1024}\n",
        Self.base + "\n    processes_per_replica: 1\n    threads_per_process: 1\n    env: {}\n",
        Self.base + "\n  update_strategy: {max_surge: 25%}\n  autoscaling: {window: 60s}\n",
    ])
    func `the same wish is up to date`(config: String) throws {
        #expect(try self.identity(config) == self.identity(Self.base))
    }

    @Test(arguments: [
        "networking: {endpoint: /flowers}", "autoscaling: {max_replica_concurrency: 2}",
        "autoscaling: {max_replicas: 5}", "update_strategy: {max_surge: 1}",
    ])
    func `an update that keeps the workers`(section: String) throws {
        let (old, new) = (try self.identity(Self.base), try self.identity(Self.base + "\n  " + section))
        #expect(new != old)
        #expect(new.predictor == old.predictor)
    }

    @Test(arguments: [
        Self.base + "\n    env: {A: b}", Self.base + "\n    threads_per_process: 2",
        Self.base + "\n    processes_per_replica: 2", Self.base + "\n    python_path: src",
        Self.base.replacing("a: 1", with: "a: 2"), Self.base + "\n  compute: {mem: 1Gi}",
    ])
    func `an update that replaces the workers`(config: String) throws {
        #expect(try self.identity(config).predictor != self.identity(Self.base).predictor)
    }

    @Test func `another project replaces the workers`() throws {
        #expect(try self.identity(Self.base, project: "q").predictor != self.identity(Self.base).predictor)
    }

    @Test func `what is stored decides as what was read does`() throws {
        let text = Self.base.replacing("a: 1", with: "a: 1.0, e: 1e3")
        let spec = try #require(
            try ConfigCheck(files: ["predictor.py"]).specs(in: text, file: "cortex.yaml").first
        )
        let stored = try StateJSON.specDecoder().decode(ResourceSpec.self, from: StateJSON.specEncoder().encode(spec))
        #expect(try DeploymentIdentity(spec: stored, project: "p") == DeploymentIdentity(spec: spec, project: "p"))
    }
}
