import CortexControlPlane
import CortexGateway
import CortexSpec

/// The keys that may call an API, as its route has them.
struct KnownKeys {
    /// Of the deployment that names them.
    let version: Int
    let references: [SecretReference]
    let keys: APIKeys
    /// Why they could not be read the last time, so that it is told once.
    var flaw: KeyReader.Flaw?
}

extension LocalAPI {
    /// What the route of a deployment checks requests against; nil where anybody may call.
    func keys(of deployment: Deployment, _ reader: KeyReader) -> APIKeys? {
        let references = deployment.spec.networking.apiKeys
        guard !references.isEmpty else {
            self.knownKeys = nil
            return nil
        }
        do throws(KeyReader.Flaw) {
            let keys = APIKeys(try reader.keys(at: references))
            self.knownKeys = KnownKeys(version: deployment.version, references: references, keys: keys)
            return keys
        } catch {
            // They could be read when it was deployed. Open to everybody is the one thing it must not become.
            let keys = APIKeys(nil)
            let version = deployment.version
            self.knownKeys = KnownKeys(version: version, references: references, keys: keys, flaw: error)
            self.log.write(
                level: "error",
                "nobody is let in: networking.api_keys \(error.message)",
                version: version
            )
            return keys
        }
    }

    /// Reads the keys once more, for what has changed in their files; where that fails, those that were known stay.
    func refreshKeys(_ reader: KeyReader) {
        guard let known = self.knownKeys else { return }
        do throws(KeyReader.Flaw) {
            let isNew = known.keys.replace(with: try reader.keys(at: known.references))
            self.knownKeys?.flaw = nil
            if isNew { self.log.write("the keys that may call it have changed", version: known.version) }
        } catch {
            guard error != known.flaw else { return }
            self.knownKeys?.flaw = error
            self.log.write(
                level: "error",
                "its keys stay as they were: networking.api_keys \(error.message)",
                version: known.version
            )
        }
    }
}
