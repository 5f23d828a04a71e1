import CortexGateway
import CortexSpec

/// The keys that may call an API or a splitter, as its route has them.
struct KnownKeys {
    /// Of the deployment that names them.
    let version: Int
    let references: [SecretReference]
    let keys: APIKeys
    /// Why they could not be read the last time, so that it is told once.
    private(set) var flaw: KeyReader.Flaw?

    /// What is worth telling of a look at the keys.
    struct News {
        var isError: Bool
        var text: String
    }

    /// Where they cannot be read, the route lets nobody in: open to everybody is the one thing that it must not become.
    /// - Returns: Nil where anybody may call.
    init?(at references: [SecretReference], version: Int, _ reader: KeyReader) {
        guard !references.isEmpty else { return nil }
        self.version = version
        self.references = references
        do throws(KeyReader.Flaw) {
            self.keys = APIKeys(try reader.keys(at: references))
        } catch {
            // They could be read when it was deployed.
            self.keys = APIKeys(nil)
            self.flaw = error
        }
    }

    /// What there is to tell of the first look; nil where all is well.
    var firstNews: News? {
        self.flaw.map { News(isError: true, text: "nobody is let in: networking.api_keys \($0.message)") }
    }

    /// Reads the keys once more, for what has changed in their files; where that fails, those that were known stay.
    mutating func refresh(_ reader: KeyReader) -> News? {
        do throws(KeyReader.Flaw) {
            let isNew = self.keys.replace(with: try reader.keys(at: self.references))
            self.flaw = nil
            return isNew ? News(isError: false, text: "the keys that may call it have changed") : nil
        } catch {
            guard error != self.flaw else { return nil }
            self.flaw = error
            return News(isError: true, text: "its keys stay as they were: networking.api_keys \(error.message)")
        }
    }
}
