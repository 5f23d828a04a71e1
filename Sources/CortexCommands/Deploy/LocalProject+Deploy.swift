import CortexControlPlane
import CortexSpec

extension LocalProject {
    /// Sends the project to a server, unless that has it.
    ///
    /// - Parameter step: Takes a few words for each step.
    func upload(to client: OperatorClient, step: (String) -> Void) async throws -> ProjectHash {
        step("reading \(self.files.count) files")
        let hash = try await ProjectHash.of(self.files)
        if try await !client.hasProject(hash) {
            step("uploading \(self.files.count) files")
            try await client.store(hash, archive: ProjectArchive(self.files))
        }
        return hash
    }

    /// What asks a server to deploy the project once it has it.
    /// - Parameter isLocal: Whether the server sees the files of this machine.
    func deployBody(_ hash: ProjectHash, isLocal: Bool, force: Bool) -> DeployBody {
        DeployBody(
            config: self.source.text,
            configFile: self.source.fileName,
            project: hash.description,
            projectDirectory: isLocal ? self.source.root : nil,
            force: force
        )
    }

    /// What a server's refusal means for the person who deploys: its problems with their places, where it has any.
    func failure(_ refusal: OperatorClient.Refusal, console: Console) -> CommandFailure {
        guard let problems = refusal.response.problems, !problems.isEmpty else { return refusal.failure }
        return ProblemList(problems, text: self.source.text).failure(of: self.source.fileName, console: console)
    }
}
