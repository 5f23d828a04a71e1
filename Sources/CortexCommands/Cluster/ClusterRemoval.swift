import CortexKubernetes
import CortexSpec

/// Takes an installation away: what serves goes last.
struct ClusterRemoval {
    let location: ClusterLocation
    var calls: ClusterCalls
    let waits: Bool
    let limit: WaitLimit

    /// What there is to take away.
    struct Facts {
        var namespace: String
        /// Whether the namespace goes with it.
        var ownsNamespace: Bool
        /// Whether the custom resources are defined.
        var hasDefinitions: Bool
        var apis: [String]

        /// In words, for a question.
        var summary: String {
            let count = self.apis.count
            let apis =
                count == 0 ? "" : " with \(count) API\(count == 1 ? "" : "s") (\(self.apis.joined(separator: ", ")))"
            let what =
                self.ownsNamespace ? "the namespace \(self.namespace)" : "Cortex in the namespace \(self.namespace)"
            return "\(what)\(apis) and the stored projects"
        }
    }

    private static let kinds = Installation.definitionNames.joined(separator: ",")
    private static let installed =
        "deployments,services,poddisruptionbudgets,roles,rolebindings,serviceaccounts,secrets,persistentvolumeclaims"

    private var scope: [String] { ["-n", self.location.namespace] }

    /// Nil where there is nothing.
    mutating func facts() async throws -> Facts? {
        self.calls.show("looking at the namespace \(self.location.namespace)")
        let namespace = try await self.calls.objects(["namespace", self.location.namespace]).first
        let definitions = try await self.definitions()
        guard let namespace else {
            self.calls.clear()
            guard definitions else { return nil }
            // An earlier `down` was cut short: the definitions are left.
            return Facts(namespace: self.location.namespace, ownsNamespace: false, hasDefinitions: true, apis: [])
        }
        let apis = definitions ? try await self.calls.objects([Self.kinds] + self.scope) : []
        self.calls.clear()
        return Facts(
            namespace: self.location.namespace,
            ownsNamespace: namespace.annotations[CortexNames.Annotation.createdBy] == Installation.creator,
            hasDefinitions: definitions,
            apis: apis.map(\.name).sorted()
        )
    }

    private mutating func definitions() async throws -> Bool {
        do {
            _ = try await self.calls.run(["get", "--raw", "/apis/\(CortexNames.group)/\(CortexNames.version)"])
            return true
        } catch let failure as KubectlFailure where failure.cause == .notFound {
            return false
        }
    }

    /// Deletes it all; returns what could not be done and is no failure.
    mutating func run(_ facts: Facts) async throws -> [String] {
        let started = ContinuousClock.now
        if !facts.apis.isEmpty {
            self.calls.show("deleting \(facts.apis.count) APIs")
            _ = try await self.calls.run(["delete", Self.kinds, "--all", "--wait=false"] + self.scope)
            try await self.waitUntilGone("APIs", [Self.kinds], since: started)
        }
        // Before the namespace too: its end would wait for that of the gateways' grace, whether or not they need it.
        self.calls.show("deleting operator and gateways")
        let flags = ["--wait=false", "--ignore-not-found"] + self.scope
        _ = try await self.calls.run(["delete", Self.installed, "-l", Installation.selector] + flags)
        _ = try await self.calls.run(["delete", "lease", CortexNames.operatorName] + flags)
        if self.waits {
            try await self.waitUntilGone("pods", ["pods,replicasets", "-l", Installation.selector], since: started)
        }
        if facts.ownsNamespace {
            self.calls.show("deleting the namespace \(facts.namespace)")
            _ = try await self.calls.run([
                "delete", "namespace", facts.namespace, "--wait=false", "--ignore-not-found",
            ])
            if self.waits { try await self.waitForNamespace(facts.namespace, since: started) }
        }
        let notes = facts.hasDefinitions ? try await self.removeDefinitions() : []
        self.calls.clear()
        return notes
    }

    private mutating func waitUntilGone(
        _ what: String,
        _ query: [String],
        since started: ContinuousClock.Instant
    ) async throws {
        while true {
            let left = try await self.calls.objects(query + self.scope)
            guard !left.isEmpty else { return }
            self.calls.show("waiting for the end of \(left.count) \(what)")
            try self.checkTime(since: started, "\(what) are left: \(left.map(\.name).sorted().joined(separator: ", "))")
            try await Task.sleep(for: .milliseconds(700))
        }
    }

    private mutating func waitForNamespace(_ name: String, since started: ContinuousClock.Instant) async throws {
        while let namespace = try await self.calls.objects(["namespace", name]).first {
            let held = (namespace["status", "conditions"]?.array ?? [])
                .filter { $0["status"]?.string == "True" }.compactMap { $0["message"]?.string }.joined(separator: "; ")
            let reason = held.isEmpty ? "" : ": \(held)"
            self.calls.show("waiting for the end of the namespace \(name)\(reason)")
            try self.checkTime(since: started, "the namespace \(name) is not gone\(reason)")
            try await Task.sleep(for: .milliseconds(700))
        }
    }

    private mutating func checkTime(since started: ContinuousClock.Instant, _ state: String) throws {
        guard ContinuousClock.now - started >= self.limit.duration else { return }
        self.calls.clear()
        throw CommandFailure(
            "not gone after \(self.limit): \(state)",
            hint: "it goes on; run the command again for the rest",
            exitCode: 3
        )
    }

    /// The definitions are the whole cluster's: they stay while another installation may need them.
    private mutating func removeDefinitions() async throws -> [String] {
        let names = Installation.definitionNames
        do {
            self.calls.show("looking for other installations")
            let others = try await self.calls.objects([Self.kinds, "--all-namespaces"])
            let operators = try await self.calls.objects([
                "deployments", "--all-namespaces", "-l",
                "\(Installation.selector),\(CortexNames.Label.component)=\(CortexNames.Component.operator.rawValue)",
            ])
            let namespaces = Set((others + operators).compactMap(\.namespace)).subtracting([self.location.namespace])
            guard namespaces.isEmpty else {
                return ["the custom resources stay, for the namespaces \(namespaces.sorted().joined(separator: ", "))"]
            }
            self.calls.show("deleting the custom resources")
            _ = try await self.calls.run(["delete", "crd"] + names + ["--wait=false", "--ignore-not-found"])
            return []
        } catch let failure as KubectlFailure where failure.cause == .forbidden {
            return [
                "the custom resources stay, since you may not look after them in the whole cluster; "
                    + "if nobody else uses them: kubectl delete crd \(names.joined(separator: " "))"
            ]
        }
    }
}
