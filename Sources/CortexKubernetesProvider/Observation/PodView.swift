import CortexKubernetes
import CortexSpec
import Foundation

/// What is to be known of a replica's pod.
struct PodView: Hashable, Sendable {
    /// Why a pod does not get ready, from what is worst for its API.
    enum Trouble: Hashable, Sendable {
        /// Its image cannot be had.
        case image(String)
        /// The kernel ended it for its memory.
        case outOfMemory(String)
        /// A container ended, and is started again with growing delays.
        case failed(String)
        /// The cluster has no place for it.
        case unschedulable(String)

        var reason: String {
            switch self {
            case .image(let reason), .outOfMemory(let reason), .failed(let reason), .unschedulable(let reason): reason
            }
        }
    }

    var name: String
    var api: APIName
    var template: String
    /// The deployment whose workers it runs.
    var version: Int
    var isReady: Bool
    var isTerminating: Bool
    var trouble: Trouble?
    /// How often its containers were started again.
    var restarts: Int
    /// What it is at, while it is not ready: `building the environment`.
    var step: String?
    var createdAt: Date?
    /// In the network of the cluster.
    var address: String?
    /// Whether its main container runs.
    var isRunning: Bool
    /// Those that run beside each other, once it has been prepared.
    var containers: [Container]

    struct Container: Hashable, Sendable {
        var name: String
        /// How often it was started again.
        var restarts: Int
    }

    /// Nil for what is no pod of a replica.
    init?(_ pod: KubernetesObject) {
        let labels = pod.labels
        guard let api = labels[CortexNames.Label.api].flatMap(APIName.init),
            let template = labels[CortexNames.Label.template],
            let version = labels[CortexNames.Label.version].flatMap(Int.init)
        else { return nil }
        let status = pod["status"]
        let containers = (status?["initContainerStatuses"]?.array ?? []) + (status?["containerStatuses"]?.array ?? [])
        let conditions = status?["conditions"]?.array ?? []
        self.name = pod.name
        self.api = api
        self.template = template
        self.version = version
        self.isTerminating = pod.isBeingDeleted
        self.isReady =
            !pod.isBeingDeleted
            && conditions.contains { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" }
        self.restarts = containers.reduce(0) { $0 + ($1["restartCount"]?.int ?? 0) }
        self.createdAt = pod.createdAt
        self.address = status?["podIP"]?.string
        self.isRunning = (status?["containerStatuses"]?.array ?? []).contains {
            $0["name"]?.string == "api" && $0["state"]?["running"] != nil
        }
        let restarts = containers.map { ($0["name"]?.string ?? "", $0["restartCount"]?.int ?? 0) }
        let counts = Dictionary(restarts) { $1 }
        self.containers = (pod["spec", "containers"]?.array ?? []).compactMap { $0["name"]?.string }
            .map { Container(name: $0, restarts: counts[$0] ?? 0) }
        self.trouble = self.isReady ? nil : Self.trouble(status, containers, conditions)
        self.step = self.isReady ? nil : Self.step(containers)
    }

    private static func trouble(
        _ status: JSONValue?,
        _ containers: [JSONValue],
        _ conditions: [JSONValue]
    ) -> Trouble? {
        let found = containers.compactMap { Self.trouble(ofContainer: $0) }
        if let image = found.first(where: { if case .image = $0 { true } else { false } }) { return image }
        if let first = found.first { return first }
        if status?["phase"]?.string == "Failed" {
            // Evicted, or refused by its node.
            let reason = status?["message"]?.string ?? status?["reason"]?.string ?? "its pod has failed"
            return status?["reason"]?.string == "Evicted" && reason.contains("memory")
                ? .outOfMemory(Self.sentence(reason)) : .failed(Self.sentence(reason))
        }
        let scheduled = conditions.first { $0["type"]?.string == "PodScheduled" }
        if scheduled?["status"]?.string == "False", scheduled?["reason"]?.string == "Unschedulable" {
            return .unschedulable(Self.sentence(scheduled?["message"]?.string ?? "no node has room for it"))
        }
        return nil
    }

    private static func trouble(ofContainer status: JSONValue) -> Trouble? {
        let name = status["name"]?.string ?? ""
        let waiting = status["state"]?["waiting"]
        switch waiting?["reason"]?.string {
        case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable":
            let image = status["image"]?.string ?? "its image"
            let message = waiting?["message"]?.string.map { ": \(Self.sentence($0))" } ?? ""
            return .image("cannot pull the image \(image)\(message)")
        case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
            return .failed("\(name): \(Self.sentence(waiting?["message"]?.string ?? "it cannot be started"))")
        default: break
        }
        // The one that has just ended, or else the run before the one that is starting now.
        let ended = status["state"]?["terminated"] ?? status["lastState"]?["terminated"]
        guard let ended, let code = ended["exitCode"]?.int, code != 0 || ended["reason"]?.string == "OOMKilled" else {
            return nil
        }
        let message = ended["message"]?.string.map(Self.text) ?? ""
        if ended["reason"]?.string == "OOMKilled" {
            return .outOfMemory("\(name) was killed: it used more memory than compute.mem allows")
        }
        guard message.isEmpty else { return .failed(message) }
        return .failed("\(name) ended with exit code \(code)")
    }

    private static func step(_ containers: [JSONValue]) -> String? {
        for status in containers where status["state"]?["running"] != nil || status["state"]?["waiting"] != nil {
            let isWaiting = status["state"]?["waiting"] != nil
            switch status["name"]?.string {
            case "prepare": return isWaiting ? "starting the pod" : "preparing the Python environment"
            case "api": return isWaiting ? "starting the pod" : "starting the predictor"
            default: continue
            }
        }
        return nil
    }

    /// What the cluster says, as one line.
    private static func sentence(_ text: String) -> String {
        String(text.split { $0.isNewline }.joined(separator: " ").prefix(500))
    }

    /// What the replica itself said; may have several lines.
    private static func text(_ text: String) -> String {
        String(text.trimmingCharacters(in: .whitespacesAndNewlines).prefix(4096))
    }
}
