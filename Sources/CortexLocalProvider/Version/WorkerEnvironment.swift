import CortexControlPlane
import CortexGateway
import CortexSpec

/// The environment variables that user code sees: the server's own, the API's, those of `.env`, and Cortex's.
struct WorkerEnvironment {
    /// What the server's surroundings mean for the server, or would lead the worker's Python astray.
    private static let withheld: Set<String> = [
        "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT", "VIRTUAL_ENV", "CORTEX_HOME", "CORTEX_PORT",
        "CORTEX_OPERATOR_PORT", "CORTEX_TLS_CERTIFICATE", "CORTEX_TLS_KEY", "CORTEX_TLS_PORT", "CORTEX_TLS_ONLY",
        "CORTEX_UV", "CORTEX_PYTHON", "CORTEX_CHAINING", "CORTEX_INTERNAL_TOKEN",
        // Common in containers. It would have every start of a worker compile all that it imports.
        "PYTHONDONTWRITEBYTECODE",
    ]

    let deployment: Deployment
    let projectDirectory: String
    let cacheDirectory: String
    let dotEnv: [(key: String, value: String)]
    let version: String
    let machine: MachineCapacity
    /// Where workers find the gateway.
    let gateway: WorkerAddress
    /// Whether the names of APIs lead there.
    let isChaining: Bool
    /// The names of APIs are resolved as all others are.
    var hasNameService = false
    /// Whether the machine has GPUs, none of which the API asks for.
    let hidesGPUs: Bool

    /// - Parameter base: The server's own environment.
    func variables(base: [String: String]) -> [String: String] {
        let spec = self.deployment.spec
        var variables = base.filter { !Self.withheld.contains($0.key) }
        // Who may call the API is the gateway's to know.
        for case .environment(let name) in spec.networking.apiKeys { variables[name] = nil }
        variables["PYTHONUNBUFFERED"] = "TRUE"
        // Text is UTF-8 whatever the machine's locale; a C locale would make `open` fail on other letters.
        variables["PYTHONUTF8"] = "1"
        if variables["LANG"] == nil { variables["LANG"] = "C.UTF-8" }
        // The user's own settings win over these, and these over the server's, which knows nothing of the API.
        variables.merge(ThreadCounts.variables(for: spec, on: self.machine)) { $1 }
        if self.hidesGPUs { variables["CUDA_VISIBLE_DEVICES"] = "" }
        for (key, value) in spec.predictor.env { variables[key] = value }
        for (key, value) in self.dotEnv { variables[key] = value }
        let own: [String: String] = [
            "CORTEX_PROVIDER": "local",
            "CORTEX_KIND": spec.kind.rawValue,
            "CORTEX_VERSION": self.version,
            "CORTEX_SERVING_PORT": "8888",
            "CORTEX_PROJECT_DIR": self.projectDirectory,
            "CORTEX_CACHE_DIR": self.cacheDirectory,
            "CORTEX_PYTHON_PATH": spec.predictor.pythonPath.map { "\(self.projectDirectory)/\($0)" }
                ?? self.projectDirectory,
            "CORTEX_PROCESSES_PER_REPLICA": "\(spec.predictor.processesPerReplica)",
            "CORTEX_THREADS_PER_PROCESS": "\(spec.predictor.threadsPerProcess)",
            "CORTEX_MAX_REPLICA_CONCURRENCY": "\(spec.autoscaling.maxReplicaConcurrency)",
        ]
        variables.merge(own) { $1 }
        variables["CORTEX_GATEWAY_URL"] = self.gateway.url
        // For the worker itself, which takes it away before user code runs.
        variables["CORTEX_CHAINING_ADDRESS"] = self.isChaining ? self.gateway.description : nil
        variables["CORTEX_CHAINING_NAMES"] = self.hasNameService ? "dns" : nil
        return variables
    }
}
