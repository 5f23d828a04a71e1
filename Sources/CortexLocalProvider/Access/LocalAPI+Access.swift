import CortexControlPlane
import CortexGateway
import CortexSpec

extension LocalAPI {
    /// What the route of a deployment checks requests against; nil where anybody may call.
    func keys(of deployment: Deployment, _ reader: KeyReader) -> APIKeys? {
        let references = deployment.spec.networking.apiKeys
        self.knownKeys = KnownKeys(at: references, version: deployment.version, reader)
        self.tell(self.knownKeys?.firstNews)
        return self.knownKeys?.keys
    }

    /// Reads the keys once more, for what has changed in their files.
    func refreshKeys(_ reader: KeyReader) { self.tell(self.knownKeys?.refresh(reader)) }

    private func tell(_ news: KnownKeys.News?) {
        guard let news, let version = self.knownKeys?.version else { return }
        self.log.write(level: news.isError ? "error" : "info", news.text, version: version)
    }
}
