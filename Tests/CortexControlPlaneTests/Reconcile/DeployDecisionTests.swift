import CortexSpec
import Foundation
import Testing

@testable import CortexControlPlane

@Suite struct DeployDecisionTests {
    private func decide(
        _ outcome: DeploymentOutcome?,
        status: APIStatus?,
        changed: Bool,
        force: Bool = false,
        owner: String? = nil,
        modelPath: String? = nil,
        movedTo folder: String? = nil
    ) throws -> DeployDecision {
        var old = try APISpec.named("iris")
        var new = try APISpec.named("iris", threads: changed ? 2 : 1)
        old.predictor.modelPath = modelPath
        new.predictor.modelPath = modelPath
        let current = try outcome.map { outcome in
            DeploymentRecord(
                deployment: ResourceDeployment(id: "1", version: 1, spec: .api(old), project: "p"),
                identity: try DeploymentIdentity(spec: .api(old), project: "p"),
                config: "",
                configFile: "cortex.yaml",
                deployedBy: "local",
                createdAt: Date(),
                outcome: outcome
            )
        }
        return DeployDecision(
            spec: .api(new),
            identity: try DeploymentIdentity(spec: .api(new), project: "p"),
            projectDirectory: folder,
            current: current,
            status: status,
            owner: try owner.map { try APIName.of($0) },
            force: force
        )
    }

    @Test func `a new API is created`() throws {
        #expect(try self.decide(nil, status: nil, changed: false) == .create)
    }

    @Test(arguments: [
        (DeploymentOutcome.live, APIStatus?.some(.live), DeployDecision.upToDate),
        (.live, .error, .upToDate),
        (.live, .updating, .alreadyUpdating),  // after a restart of the server
        (.pending, .updating, .alreadyUpdating),
        (.pending, nil, .alreadyUpdating),
        (.pending, .error, .update),
        (.failed(reason: "x"), .error, .update),  // deploying again is how to try again
        (.failed(reason: "x"), .rolloutFailed, .update),
    ])
    func `the same again`(outcome: DeploymentOutcome, status: APIStatus?, expected: DeployDecision) throws {
        #expect(try self.decide(outcome, status: status, changed: false) == expected)
    }

    @Test(arguments: [
        (DeploymentOutcome.live, APIStatus?.some(.live), false, true),
        (.live, .updating, false, true),
        (.pending, .updating, false, false),
        (.pending, nil, false, false),
        (.pending, .updating, true, true),
        (.pending, .rolloutFailed, false, true),  // visibly broken: no force needed
        (.failed(reason: "x"), .error, false, true),
    ])
    func `a change`(outcome: DeploymentOutcome, status: APIStatus?, force: Bool, updates: Bool) throws {
        let refused = DeployDecision.refuse(.updating(try .of("iris")))
        #expect(try self.decide(outcome, status: status, changed: true, force: force) == (updates ? .update : refused))
    }

    @Test func `an endpoint of another API is refused, one's own is not`() throws {
        let taken = DeployError.endpointTaken(try .of("iris"), endpoint: "/iris", owner: try .of("other"))
        #expect(try self.decide(nil, status: nil, changed: false, owner: "other") == .refuse(taken))
        #expect(try self.decide(.live, status: .live, changed: true, owner: "iris") == .update)
    }

    @Test func `identities tell what changed`() throws {
        let base = try DeploymentIdentity(spec: try .named("iris"), project: "p")
        let threads = try DeploymentIdentity(spec: try .named("iris", threads: 2), project: "p")
        let endpoint = try DeploymentIdentity(spec: try .named("iris", endpoint: "/other"), project: "p")
        let project = try DeploymentIdentity(spec: try .named("iris"), project: "q")
        #expect(base.predictor != threads.predictor)
        #expect(base.spec != endpoint.spec)
        #expect(base.predictor == endpoint.predictor)
        #expect(base.predictor != project.predictor)
        #expect(base != project)
    }

    @Test(
        arguments: [
            (nil, DeployDecision.upToDate), ("s3://bucket/model/", .upToDate), ("/models/", .upToDate),
            ("~/models/", .upToDate), ("models/", .update),
        ] as [(String?, DeployDecision)]
    )
    func `another folder matters where models lie in it`(modelPath: String?, expected: DeployDecision) throws {
        #expect(
            try self.decide(.live, status: .live, changed: false, modelPath: modelPath, movedTo: "/other") == expected
        )
    }
}
