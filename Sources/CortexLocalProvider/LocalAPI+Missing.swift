import CortexControlPlane
import CortexServing

/// Workers that miss a module: the package that gives it is added to their environment, where one is known, and a version
/// with it takes their place.
extension LocalAPI {
    /// A worker of `version` wants a module that is not there.
    ///
    /// A start that fails for it is not told, as another begins at once; a version that serves goes on until its successor
    /// is ready. Where nothing can be added the worker's failure stands, and is told with what to do.
    func missed(_ message: MissingMessage, by worker: String, of version: LocalVersion) async {
        let number = version.deployment.version
        let module = message.module
        var package: String?
        if !self.missing.isHopeless(module) {
            do {
                package = try await version.add(module: module)
            } catch {
                self.log.write(level: "error", "no package can be looked up for \(module): \(error)", version: number)
            }
        }
        // Another worker may have said the same.
        guard self.isNeeded(version), !self.missing.isReplaced(version) else { return }
        guard let package else {
            let advice = await version.advice(missing: module)
            self.missing.advise(advice, to: worker)
            guard message.stage == .request else { return }
            return self.log.write(
                level: "warning",
                "there is no module \(module): \(advice)",
                version: number,
                worker: worker
            )
        }
        let text = "\(package) is missing (\(module)): adding it"
        if version === self.serving {
            // A newer deployment has what it needs itself.
            guard version === self.wanted || self.missing.isExtension(self.wanted) else { return }
            self.tell(text, version)
            self.missing.want(module)
            self.extend(version)
        } else {
            self.tell(text, version)
            self.replace(version)
        }
    }

    private func tell(_ text: String, _ version: LocalVersion) {
        let number = version.deployment.version
        self.log.write(text, version: number)
        self.emit(ProviderEvent(api: self.name, version: number, kind: .progress, message: text))
    }

    /// Starts a version that has not served yet once more, with what was added.
    private func replace(_ version: LocalVersion) {
        let successor = self.version(version.deployment, attempt: self.missing.nextAttempt())
        self.missing.replace(version)
        if self.missing.isExtension(version) { self.missing.extend(by: successor) }
        if version === self.wanted { self.wanted = successor }
        self.end(version)
        self.begin(successor)
    }

    /// Starts a successor of the version that serves, with what was added; one that is starting already is let go.
    func extend(_ serving: LocalVersion) {
        self.supersede()
        var deployment = serving.deployment
        // A model that does not load is no reason against it: others of this version are being served.
        deployment.wasLive = true
        let successor = self.version(deployment, attempt: self.missing.nextAttempt())
        self.missing.extend(by: successor)
        self.wanted = successor
        self.begin(successor)
    }

    /// The version that serves goes on without what could not be added.
    func extensionFailed(_ version: LocalVersion, reason: String) {
        guard version === self.wanted else { return }
        self.missing.extensionFailed()
        self.wanted = self.serving
        self.tell("the missing package cannot be added, requests that need it fail: \(reason)", version)
        self.end(version)
    }
}
