import CortexControlPlane
import CortexModels
package import CortexSpec
import Foundation
import Logging

extension LocalProvider {
    package func modelProblems(
        of specs: [APISpec],
        project: String,
        projectDirectory: String?
    ) async -> [APIName: [FieldProblem]] {
        do {
            return try await self.withProject(project, at: projectDirectory) { folder in
                let dotEnv = try Self.dotEnv(in: folder)
                let requests = specs.compactMap { spec in
                    ModelRequest(spec: spec, folders: [folder], environment: spec.predictor.env.merging(dotEnv) { $1 })
                        .map { (spec.name, $0) }
                }
                let problems = await self.machine.models.check(requests.map(\.1))
                return Dictionary(zip(requests.map(\.0), problems)) { $0 + $1 }
            }
        } catch {
            // The models are not at fault: what is wrong with the project is told when it is started.
            self.machine.logger.error("models were not checked", metadata: ["error": "\(error)"])
            return [:]
        }
    }

    /// Runs `body` with the folder that relative paths lead from: the user's own where it is on this machine, else the
    /// project as it was sent, unpacked for the time being.
    private func withProject<Result: Sendable>(
        _ project: String,
        at directory: String?,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        if let directory, FileManager.default.fileExists(atPath: directory) { return try await body(directory) }
        guard let hash = ProjectHash(project) else { throw VersionError.badProject(project) }
        let folder = "\(self.machine.home.versions)/check-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await self.machine.projects.unpack(hash, into: folder)
        return try await body(folder)
    }

    private static func dotEnv(in folder: String) throws -> [String: String] {
        guard FileManager.default.fileExists(atPath: "\(folder)/.env") else { return [:] }
        let lines = try DotEnv.parse(try String(contentsOfFile: "\(folder)/.env", encoding: .utf8))
        return Dictionary(lines.map { ($0.key, $0.value) }) { $1 }
    }
}
