/// Why `kubectl` did not do what it was asked for, by what it said.
struct KubectlFailure: Error, Hashable, CustomStringConvertible {
    enum Cause: Hashable, Sendable {
        /// No kubeconfig, or none with this context.
        case notConfigured
        /// Nobody answers, or not now; may pass.
        case unreachable
        /// The certificate of the server is not one that is trusted; does not pass by itself.
        case untrusted
        /// The server does not know the user, or the login program failed.
        case notLoggedIn
        case forbidden
        case quotaExceeded
        case namespaceTerminating
        case notFound
        case other
    }

    var cause: Cause
    /// In one line.
    var description: String

    /// - Parameter output: All that was written to standard error.
    init(_ output: String) {
        self.cause = Self.cause(of: output)
        let lines = output.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix { $0 == " " } }
            .filter { !$0.isEmpty && !Self.isNoise($0) }
        // The last line is what ended it; what stands before it is mostly about attempts.
        let text = (self.cause == .other ? lines.joined(separator: "; ") : lines.last.map(String.init)) ?? ""
        var shown = text[...]
        for prefix in ["error: ", "Error from server ", "Unable to connect to the server: "] {
            shown = shown.trimmingPrefix(prefix)
        }
        self.description = shown.isEmpty ? "it said nothing" : String(shown.prefix(2000))
    }

    /// Whether the same call may succeed a little later.
    var isPassing: Bool { self.cause == .unreachable }

    private static func cause(of output: String) -> Cause {
        let said = { (texts: [String]) in texts.contains { output.contains($0) } }
        if said([
            "current-context", "context was not found", "cannot locate context", "no context exists",
            "configuration has been provided", "invalid configuration", "Missing or incomplete configuration",
            "Error loading config", "error loading config",
        ]) || (output.contains("stat ") && output.contains("no such file or directory"))
            || (output.contains("context ") && output.contains("does not exist"))
        {
            return .notConfigured
        }
        if said(["x509:", "tls: "]), !output.contains("handshake timeout") { return .untrusted }
        if said(["exceeded quota"]) { return .quotaExceeded }
        if said(["because it is being terminated", "NamespaceTerminating"]) { return .namespaceTerminating }
        if said(["(Unauthorized)", "getting credentials:", "Please enter Username", "must be logged in"]) {
            return .notLoggedIn
        }
        if said(["(Forbidden)", "is forbidden:"]) { return .forbidden }
        if said(Self.passing) { return .unreachable }
        if said(["(NotFound)", "not found"]) { return .notFound }
        return .other
    }

    private static let passing = [
        "was refused", "connection refused", "Unable to connect to the server", "i/o timeout", "handshake timeout",
        "context deadline exceeded", "Client.Timeout", "EOF", "connection reset by peer", "broken pipe",
        "no route to host", "network is unreachable", "(ServiceUnavailable)", "currently unable to handle the request",
        "(Timeout)", "(ServerTimeout)", "(TooManyRequests)", "etcdserver: ", "client connection lost",
        "unable to upgrade connection", "error dialing backend", "apiserver not ready", "starting up",
    ]

    private static func isNoise(_ line: some StringProtocol) -> Bool {
        // Log lines of kubectl (`E1122 03:31:09.1 …`), warnings, and deprecations.
        if line.hasPrefix("Warning:") { return true }
        guard let first = line.first, "IWEF".contains(first) else { return false }
        return line.dropFirst().prefix(4).allSatisfy(\.isNumber) && line.dropFirst(5).first == " "
    }
}

extension KubectlFailure {
    /// The failure as the command line tells it.
    func failure(of kubectl: Kubectl) -> CommandFailure {
        let place = kubectl.context.map { "the cluster of the context \($0)" } ?? "the cluster"
        let command = "kubectl" + (kubectl.context.map { " --context \($0)" } ?? "")
        switch self.cause {
        case .notConfigured:
            return CommandFailure(
                "kubectl knows no cluster\(kubectl.context.map { " of the context \($0)" } ?? ""): \(self)",
                hint: "show it one: --kubeconfig FILE, KUBECONFIG or ~/.kube/config, and --context NAME "
                    + "(kubectl config get-contexts)"
            )
        case .unreachable:
            return CommandFailure(
                "the API server of \(place) does not answer: \(self)",
                hint: "is the cluster up, and its address right? \(command) cluster-info"
            )
        case .untrusted:
            return CommandFailure(
                "the connection to \(place) cannot be trusted: \(self)",
                hint: "is the kubeconfig the one of this cluster? \(command) cluster-info"
            )
        case .notLoggedIn:
            return CommandFailure(
                "\(place) does not know you: \(self)",
                hint: "log in to it as ever, until this works: \(command) auth can-i get pods"
            )
        case .forbidden:
            return CommandFailure("you may not do this in \(place): \(self)", hint: "ask who looks after the cluster")
        case .quotaExceeded:
            return CommandFailure(
                "a quota of the namespace is used up: \(self)",
                hint: "raise it, or free some of it, and run the command again: "
                    + "\(command)\(kubectl.namespace.map { " -n \($0)" } ?? "") describe quota"
            )
        case .namespaceTerminating:
            let name = kubectl.namespace ?? "default"
            return CommandFailure(
                "the namespace \(name) is being deleted",
                hint: "run the command again when it is gone: "
                    + "\(command) wait --for=delete namespace/\(name) --timeout=5m"
            )
        case .notFound, .other:
            return CommandFailure("kubectl failed: \(self)")
        }
    }
}
