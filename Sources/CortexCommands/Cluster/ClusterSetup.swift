import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Foundation

/// Sets an installation up: looks, decides, applies, waits; each step may be done again.
struct ClusterSetup {
    let location: ClusterLocation
    let environment: EnvironmentName
    let console: Console
    /// Whether an older release may replace a newer one.
    let isForced: Bool
    var calls: ClusterCalls
    let variables: [String: String]

    init(
        kubectl: Kubectl,
        location: ClusterLocation,
        environment: EnvironmentName,
        isForced: Bool,
        console: Console,
        variables: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.location = location
        self.environment = environment
        self.isForced = isForced
        self.console = console
        self.variables = variables
        var kubectl = kubectl
        kubectl.context = location.context
        self.calls = ClusterCalls(kubectl, console: console)
    }

    /// What was done.
    struct Outcome {
        var installation: Installation
        /// The release that was there before.
        var before: String?
    }

    /// An installation that is there.
    struct Earlier {
        var settings: InstallationSettings?
        var version: String?
    }

    /// Does all but the waiting.
    /// - Parameter choose: The settings, given what is there.
    mutating func apply(
        choose: (Earlier?) throws -> InstallationSettings
    ) async throws -> Outcome {
        do {
            let facts = try await ClusterFacts.read(
                &self.calls,
                namespace: self.location.namespace,
                withSecrets: true
            )
            try self.checkRelease(facts.version)
            let earlier = facts.deployment.map {
                Earlier(settings: Installation.settings(of: $0), version: Installation.version(of: $0))
            }
            var installation = Installation(
                namespace: self.location.namespace,
                version: CortexVersion.current,
                settings: try choose(earlier),
                policyVersion: facts.release.policyVersion
            )
            if !installation.settings.usesVolume {
                installation.credentials = facts.find("Secret", CortexNames.projectStoreSecret)?.resourceVersion
            }
            self.calls.show("checking your rights")
            let missing = try await ClusterRight.missing(
                try ClusterRight.needed(for: installation, facts: facts),
                in: self.location.namespace,
                &self.calls
            )
            guard missing.isEmpty else { throw ClusterRight.failure(missing, self.location) }
            try await self.checkProjectStore(earlier?.settings, installation.settings, facts)
            try await self.install(installation, facts)
            try await self.configure(facts)
            self.calls.clear()
            return Outcome(installation: installation, before: facts.version)
        } catch let failure as KubectlFailure {
            self.calls.clear()
            throw failure.failure(of: self.named)
        } catch {
            self.calls.clear()
            throw error
        }
    }

    /// The same `kubectl`, for messages that name the namespace.
    var named: Kubectl {
        var kubectl = self.calls.kubectl
        kubectl.namespace = self.location.namespace
        return kubectl
    }

    private func checkRelease(_ installed: String?) throws(CommandFailure) {
        guard let installed, !self.isForced, Self.isOlder(CortexVersion.current, than: installed) else { return }
        throw CommandFailure(
            "cortex \(installed) is installed in the namespace \(self.location.namespace), and this is the older cortex "
                + CortexVersion.current,
            hint: "use cortex \(installed), or go back with --force"
        )
    }

    /// Projects do not move by themselves from one place to another.
    private mutating func checkProjectStore(
        _ before: InstallationSettings?,
        _ wanted: InstallationSettings,
        _ facts: ClusterFacts
    ) async throws {
        let places = [before, wanted].compactMap { $0 }.map { ProjectPlace.url($0.projectPlace) ?? $0.projectPlace }
        guard let before, !self.isForced, Set(places).count > 1, !(facts.definitions?.isEmpty ?? false) else { return }
        let apis = try await self.calls.objects([
            Installation.definitionNames[0], "-n", self.location.namespace,
        ]).map(\.name)
        guard !apis.isEmpty else { return }
        throw CommandFailure(
            "the projects of what is deployed (\(apis.prefix(5).joined(separator: ", "))\(apis.count > 5 ? ", …" : "")) are in "
                + "\(before.projectPlace), and not in \(wanted.projectPlace)",
            hint: "copy them and give --force, or deploy again after up --force; what serves serves on meanwhile"
        )
    }

    /// Compares numbers only: `0.10.0` is newer than `0.9.1`.
    static func isOlder(_ version: String, than other: String) -> Bool {
        func numbers(_ text: String) -> [Int] {
            text.split(separator: ".").map { Int($0.prefix(while: \.isNumber)) ?? 0 }
        }
        return numbers(version).lexicographicallyPrecedes(numbers(other))
    }

    // MARK: - Applying

    private mutating func install(_ installation: Installation, _ facts: ClusterFacts) async throws {
        if facts.namespace == nil {
            self.calls.show("making the namespace \(installation.namespace)")
            try await self.calls.apply(try installation.objects(of: .namespace))
        }
        if try !facts.hasDefinitions(of: installation) {
            self.calls.show("applying the custom resources")
            try await self.calls.apply(try installation.objects(of: .definitions))
            try await self.waitForDefinitions()
        }
        self.calls.show("applying accounts and roles")
        try await self.calls.apply(try installation.objects(of: .access))
        self.calls.show("applying secrets and storage")
        let token = facts.find("Secret", CortexNames.internalSecret).flatMap { Installation.internalToken(of: $0) }
        try await self.calls.apply(
            [installation.internalSecret(token: token ?? TokenSecret.make()), installation.tokenSecret]
                + installation.objects(of: .storage)
        )
        try await self.freeStuck(facts)
        self.calls.show("applying the operator")
        try await self.calls.apply(try installation.objects(of: .operator))
        self.calls.show("applying the gateways")
        try await self.calls.apply(try installation.objects(of: .gateways))
    }

    private mutating func waitForDefinitions() async throws {
        self.calls.show("waiting for the custom resources")
        let started = ContinuousClock.now
        while true {
            let found = try await self.calls.objects(["customresourcedefinitions"] + Installation.definitionNames)
            if found.count == Installation.definitionNames.count, found.allSatisfy(\.isEstablished) { return }
            guard ContinuousClock.now - started < .seconds(60) else {
                let reason = found.compactMap { $0.condition("NamesAccepted")?["message"]?.string }.first
                throw CommandFailure(
                    "the cluster does not take the custom resources of Cortex" + (reason.map { ": \($0)" } ?? ""),
                    hint: "look at them: kubectl --context \(self.location.context) describe crd "
                        + Installation.definitionNames.joined(separator: " ")
                )
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Gives what waits for its next attempt one now, since what was wrong may have been mended.
    private mutating func freeStuck(_ facts: ClusterFacts) async throws {
        let stuck = ClusterRollout.stuck(facts.found)
        guard !stuck.isEmpty else { return }
        self.calls.show("trying again what had failed")
        for object in stuck {
            let arguments =
                object.kind == "Pod"
                ? ["delete", "pod", object.name, "--wait=false", "--ignore-not-found"]
                : [
                    "annotate", "deployment", object.name, "cortex.dev/retried=\(Date().ISO8601Format())",
                    "--overwrite",
                ]
            _ = try await self.calls.run(arguments + ["-n", self.location.namespace])
        }
    }

    // MARK: - The environment

    /// Writes the environment, with a token that the cluster knows.
    private mutating func configure(_ facts: ClusterFacts) async throws {
        let home = try CortexHome(environment: self.variables)
        let known = try EnvironmentFile(home: home).entry(self.environment)
        let tokens = facts.find("Secret", CortexNames.tokenSecret)
        var token = ClusterToken(name: ClusterToken.userName(environment: self.variables))
        let keeps = known.map { ClusterToken.name(of: $0.token, in: tokens) != nil } ?? false
        if let known, keeps, known.place.cluster?.isSamePlace(as: self.location) ?? false {
            token.secret = known.token
        } else {
            self.calls.show("making a token for \(token.name)")
            let entry = Installation.TokenEntry(digest: token.digest, createdAt: Date())
            let installation = Installation(
                namespace: self.location.namespace,
                version: CortexVersion.current,
                settings: InstallationSettings(image: "")
            )
            try await self.calls.apply(
                [try installation.tokenSecret(token.name, entry)],
                manager: token.manager
            )
        }
        // Read anew, since another command may have written meanwhile.
        var file = try EnvironmentFile(home: home)
        file.set(EnvironmentFile.Entry(name: self.environment, place: .cluster(self.location), token: token.secret))
        try file.save()
    }
}
