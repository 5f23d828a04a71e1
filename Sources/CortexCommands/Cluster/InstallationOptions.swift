import ArgumentParser
import CortexKubernetes
import CortexSpec

extension InstallationSettings.ServiceType: ExpressibleByArgument {}
extension InstallationSettings.PullPolicy: ExpressibleByArgument {}

/// What a user may choose of an installation; what is left out stays as it was.
struct InstallationOptions: ParsableArguments {
    @Option(help: "The image of operator, gateways and replicas, which every node can pull.")
    var image: String?

    @Option(help: "When nodes pull the image: Always, IfNotPresent or Never.")
    var imagePullPolicy: InstallationSettings.PullPolicy?

    @Option(help: "The Secret of the namespace that holds the registry's credentials.")
    var imagePullSecret: String?

    @Option(help: "Where projects are kept: volume (the default), or s3://…, gs://… or az://….")
    var projectStore: String?

    @Option(help: "The storage class of the volume (default: the cluster's).")
    var storageClass: String?

    @Option(help: "The size of the volume (default: 10Gi).")
    var storageSize: String?

    @Option(help: "Python packages for environments without a package index: a URL, or a folder on the nodes.")
    var wheels: String?

    @Option(
        help: "Where replicas keep Python environments: node:PATH (default: node:/var/lib/cortex), claim:NAME or none."
    )
    var environmentCache: String?

    @Option(help: "How many gateways there are, at least 1 (default: 2).")
    var gateways: Int?

    @Option(help: "The gateways' Service: ClusterIP (the default), NodePort or LoadBalancer.")
    var serviceType: InstallationSettings.ServiceType?

    @Option(help: "The URL at which users reach the gateways, where it is not the Service's own.")
    var endpoint: String?

    @Option(help: "An annotation KEY=VALUE of the operator's service account, for an object store; may be repeated.")
    var operatorServiceAccountAnnotation: [String] = []

    @Option(help: "An annotation KEY=VALUE of the replicas' service account, such as a cloud's role; may be repeated.")
    var replicaServiceAccountAnnotation: [String] = []

    func validate() throws {
        if let gateways, !(1...100).contains(gateways) {
            throw ValidationError("--gateways is \(gateways); allowed are 1 to 100")
        }
        try Self.check(
            "--image",
            self.image,
            "a name such as registry.example.com/cortex:0.1.0"
        ) { !$0.isEmpty && !$0.contains(where: \.isWhitespace) }
        try Self.check("--project-store", self.projectStore, ProjectPlace.allowed) { text in
            text.isEmpty || text == "volume" || ProjectPlace.url(text) != nil
        }
        try Self.check("--storage-size", self.storageSize, "a quantity such as 10Gi") {
            ByteCount(quantity: $0).map { $0.bytes > 0 } ?? false
        }
        try Self.check("--wheels", self.wheels, "an http or https URL, and an absolute path on the nodes") { text in
            text.isEmpty || ["http://", "https://", "/"].contains { text.hasPrefix($0) }
        }
        try Self.check("--environment-cache", self.environmentCache, "node:/PATH, claim:NAME and none") { text in
            text.isEmpty || text == "none" || text.hasPrefix("node:/")
                || (text.hasPrefix("claim:") && text.count > "claim:".count)
        }
        try Self.check("--endpoint", self.endpoint, "http://HOST[:PORT] and https://HOST[:PORT]") { text in
            text.isEmpty || ["http://", "https://"].contains { text.hasPrefix($0) && text.count > $0.count }
        }
        for (flag, texts) in [
            ("--operator-service-account-annotation", self.operatorServiceAccountAnnotation),
            ("--replica-service-account-annotation", self.replicaServiceAccountAnnotation),
        ] {
            for text in texts {
                try Self.check(flag, text, "KEY=VALUE") { ($0.firstIndex(of: "=") ?? $0.startIndex) > $0.startIndex }
            }
        }
    }

    private static func check(
        _ flag: String,
        _ text: String?,
        _ allowed: String,
        _ isLegal: (String) -> Bool
    ) throws {
        guard let text, !isLegal(text) else { return }
        throw ValidationError("\(flag) is \(text.debugDescription); allowed are \(allowed)")
    }

    /// The settings of an installation.
    /// - Parameters:
    ///   - before: Those that it has; flags go before them, and an empty text takes one back.
    ///   - installed: The release that is there; another needs its own image.
    func settings(before: InstallationSettings?, installed: String?) throws -> InstallationSettings {
        guard let image = self.image ?? before?.image else {
            throw CommandFailure(
                "the image of operator, gateways and replicas is not given",
                hint: "give --image NAME; deploy/Dockerfile makes one, which the cluster's nodes must be able to pull",
                exitCode: 2
            )
        }
        if let installed, installed != CortexVersion.current, self.image == nil {
            throw CommandFailure(
                "cortex \(installed) is installed, with the image \(image); cortex \(CortexVersion.current) needs another",
                hint: "give the image of cortex \(CortexVersion.current): --image NAME",
                exitCode: 2
            )
        }
        var settings = before ?? InstallationSettings(image: image)
        settings.image = image
        func set<Value>(_ key: WritableKeyPath<InstallationSettings, Value?>, _ value: Value?) {
            if let value { settings[keyPath: key] = value }
        }
        set(\.imagePullPolicy, self.imagePullPolicy)
        set(\.gateways, self.gateways)
        set(\.serviceType, self.serviceType)
        for (key, text) in [
            (\InstallationSettings.imagePullSecret, self.imagePullSecret), (\.projectStore, self.projectStore),
            (\.storageClass, self.storageClass), (\.storageSize, self.storageSize), (\.wheels, self.wheels),
            (\.environmentCache, self.environmentCache), (\.endpoint, self.endpoint),
        ] {
            if let text { settings[keyPath: key] = text.isEmpty ? nil : text }
        }
        set(\.operatorAnnotations, Self.annotations(self.operatorServiceAccountAnnotation))
        set(\.replicaAnnotations, Self.annotations(self.replicaServiceAccountAnnotation))
        return settings
    }

    private static func annotations(_ texts: [String]) -> [String: String]? {
        guard !texts.isEmpty else { return nil }
        let pairs = texts.map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), String(parts[1]))
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }
}
