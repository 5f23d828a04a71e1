import CortexSpec
import Foundation
import Testing

@testable import CortexControlPlane

@Suite struct RollbackChoiceTests {
    /// Deployments by what they are of (a letter) and how they ended (`+` live, `-` failed, `?` pending), oldest first.
    private static func history(_ text: String) throws -> [DeploymentRecord] {
        try text.split(separator: " ").enumerated().map { index, word in
            let hash = String(word.prefix(1))
            let spec = try ResourceSpec.named("iris")
            let outcome: DeploymentOutcome =
                switch word.last {
                case "+": .live
                case "-": .failed(reason: "why")
                default: .pending
                }
            return DeploymentRecord(
                deployment: ResourceDeployment(id: "id-\(index + 1)", version: index + 1, spec: spec, project: hash),
                identity: DeploymentIdentity(spec: hash, predictor: hash, project: hash),
                config: "",
                configFile: "cortex.yaml",
                deployedBy: "local",
                createdAt: Date(timeIntervalSince1970: 0),
                outcome: outcome
            )
        }.reversed()
    }

    private static func version(_ text: String, to target: String?) throws -> Int {
        let history = try Self.history(text)
        let current = try #require(history.first)
        return try RollbackChoice.record(target, current: current, history: history).deployment.version
    }

    @Test(arguments: [
        ("a+ b+", 1),
        // Once more is there and back.
        ("a+ b+ a+", 2),
        // What never served is passed over.
        ("a+ b- c+", 1),
        // A refresh is the same once more.
        ("a+ b+ b+ b+", 1),
        // What has not come up goes back to what serves, also where that is the same.
        ("a+ b-", 1), ("a+ b+ c?", 2), ("a+ a?", 1),
    ])
    func `the newest that has served and is another`(history: String, version: Int) throws {
        #expect(try Self.version(history, to: nil) == version)
    }

    @Test func `by number, or by id`() throws {
        #expect(try Self.version("a+ b- c+", to: "2") == 2)
        #expect(try Self.version("a+ b- c+", to: "id-1") == 1)
    }

    @Test func `what cannot be is told`() throws {
        let name = try #require(APIName("iris"))
        #expect(throws: RollbackError.nothingBefore(name)) { try Self.version("a+", to: nil) }
        #expect(throws: RollbackError.nothingBefore(name)) { try Self.version("a- b- a+", to: nil) }
        #expect(throws: RollbackError.unknown(name, "7", known: [2, 1])) { try Self.version("a+ b+", to: "7") }
        #expect(throws: RollbackError.current(name, 2)) { try Self.version("a+ b+", to: "2") }
    }
}
