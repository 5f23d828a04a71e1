import ArgumentParser
import CortexKubernetes
import Testing

@testable import CortexCommands

@Suite struct InstallationOptionsTests {
    private static func settings(
        _ arguments: [String],
        before: InstallationSettings? = nil,
        installed: String? = nil
    ) throws -> InstallationSettings {
        let command = try #require(try ClusterUp.parseAsRoot(arguments) as? ClusterUp)
        return try command.settings.settings(before: before, installed: installed)
    }

    @Test func `flags go before what was chosen earlier, and an empty one takes it back`() throws {
        let first = try Self.settings([
            "--image", "i:1", "--gateways", "3", "--wheels", "/wheels", "--endpoint", "https://x.example",
            "--replica-service-account-annotation", "role=a=b",
        ])
        #expect(first.gateways == 3 && first.replicaAnnotations == ["role": "a=b"] && first.usesVolume)
        let second = try Self.settings(["--endpoint", "", "--gateways", "4"], before: first)
        #expect(second.image == "i:1" && second.gateways == 4 && second.wheels == "/wheels" && second.endpoint == nil)
        #expect(try Self.settings([], before: first) == first)
    }

    @Test func `they survive on the Deployment`() throws {
        let settings = try Self.settings([
            "--image", "i:1", "--service-type", "NodePort", "--project-store", "s3://b/p",
            "--operator-service-account-annotation", "role=a=b",
        ])
        #expect(settings.operatorAnnotations == ["role": "a=b"])
        let installation = Installation(namespace: "n", version: "9.9.9", settings: settings)
        let deployment = try #require(try installation.objects(of: .operator).first)
        #expect(Installation.settings(of: deployment) == settings)
        #expect(Installation.version(of: deployment) == "9.9.9")
        #expect(try installation.objects(of: .storage).isEmpty, "an object store needs no volume")
    }

    @Test func `a first installation, and another release, need an image`() throws {
        #expect(throws: CommandFailure.self) { try Self.settings([]) }
        let before = InstallationSettings(image: "i:1")
        #expect(throws: CommandFailure.self) { try Self.settings([], before: before, installed: "0.0.1") }
        #expect(try Self.settings(["--image", "i:2"], before: before, installed: "0.0.1").image == "i:2")
        #expect(try Self.settings([], before: before, installed: CortexVersion.current).image == "i:1")
    }

    @Test(arguments: [
        ["--gateways", "0"], ["--project-store", "ftp://x"], ["--project-store", "s3://"],
        ["--project-store", "https://b.example.com/p"], ["--wheels", "wheels"], ["--environment-cache", "here"],
        ["--endpoint", "cortex.example"], ["--replica-service-account-annotation", "=x"], ["--image", "a b"],
        ["--storage-size", "big"], ["--namespace", "Upper"], ["-o", "yaml"], ["--kubernetes-version", "1.29"],
    ])
    func `what cannot be meant is refused`(arguments: [String]) {
        #expect(throws: (any Error).self) { try ClusterUp.parseAsRoot(["--image", "i"] + arguments) }
    }

    @Test(arguments: [("0.1.0", "0.2.0", true), ("0.10.0", "0.9.9", false), ("1.0.0", "1.0.0", false)])
    func `releases are compared by their numbers`(version: String, other: String, isOlder: Bool) {
        #expect(ClusterSetup.isOlder(version, than: other) == isOlder)
    }

    @Test(arguments: [("v1.20.2", "v1beta1"), ("v1.32.4-gke.1", "v1"), ("1.21+", "v1")])
    func `the cluster's release decides what it is spoken to in`(text: String, policy: String) throws {
        #expect(try #require(ClusterFacts.Release(text)).policyVersion == policy)
    }

    @Test func `a token is named after who asked for it`() {
        #expect(ClusterToken.userName(environment: ["USER": "ann"], host: "desk.example") == "ann.desk")
        #expect(ClusterToken.userName(environment: ["USER": "a n/n"], host: "ü") == "a-n-n.-")
        // echo -n secret | sha256sum
        #expect(
            ClusterToken(name: "x", secret: "secret").digest
                == "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
        )
    }
}
