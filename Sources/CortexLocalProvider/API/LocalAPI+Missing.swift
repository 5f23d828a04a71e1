import CortexControlPlane
import CortexServing
import CortexSpec

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
        // With the settings that are in effect.
        var deployment = self.adopted ?? serving.deployment
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
        self.giveUp(version, reason: reason)
    }

    /// The network is to blame: the version that serves goes on, and what it misses is looked for again after a while.
    func extensionWaits(_ version: LocalVersion, reason: String) {
        guard version === self.wanted, let serving = self.serving else { return }
        let (modules, pause) = self.missing.extensionWaits(pauses: Self.pauses)
        self.giveUp(version, reason: "\(reason)\nit is tried again in \(pause.goText)")
        self.spawn {
            // Ends early with the version that is to be extended.
            if await serving.pause(for: pause) { await self.extend(serving, with: modules) }
        }
    }

    private func giveUp(_ version: LocalVersion, reason: String) {
        self.wanted = self.serving
        let number = version.deployment.version
        let text = "the missing package cannot be added, requests that need it fail: \(LogText.block(reason))"
        self.log.write(level: "warning", text, version: number)
        self.emit(ProviderEvent(api: self.name, version: number, kind: .progress, message: text))
        self.end(version)
    }

    private func extend(_ serving: LocalVersion, with modules: Set<String>) async {
        for module in modules {
            do {
                _ = try await serving.add(module: module)
            } catch {
                let number = serving.deployment.version
                self.log.write(level: "error", "no package can be looked up for \(module): \(error)", version: number)
            }
        }
        // A newer deployment has what it needs itself; another worker's report may have begun it meanwhile.
        guard serving === self.serving, serving === self.wanted, !self.isWithdrawn else { return }
        for module in modules { self.missing.want(module) }
        self.extend(serving)
    }
}
