/// What to tell about a key that its section does not have.
struct KeyAdvice {
    var message: String
    var allowed: String?
    var hint: String?

    /// - Parameters:
    ///   - section: The dotted path of the section, indices included; empty for the API itself.
    ///   - known: The keys that the section has, sorted.
    init(for key: String, in section: String, known: [String]) {
        let place = section.split(separator: "[").map { $0.split(separator: "]").last ?? "" }.joined()
        self.message = "unknown key \(key.quoted)"
        if let advice = Self.moved[place]?[key] {
            self.message = "the key \(key.quoted) is of another version of Cortex"
            self.allowed = advice
        } else if let nearest = Suggestion.nearest(to: key, among: known) {
            self.hint = "did you mean \(nearest)?"
        } else {
            self.allowed = "known here: \(known.joined(separator: ", "))"
            let homes = ConfigSchema.homes[key, default: []].filter { $0 != place }
            if !homes.isEmpty { self.hint = "\(key) belongs in \(homes.alternatives)" }
        }
    }

    /// Keys of other Cortex versions, by section, and what to write instead.
    private static let moved: [String: [String: String]] = [
        "": [
            "handler": "rename the section to predictor and the class to PythonPredictor, with predict for handle_post",
            "pod": "containers are not deployed here; name a Python class in predictor",
            "definition": "tasks are not deployed here; name a Python class in predictor",
            "node_groups": "remove it: there are no node groups here",
            "endpoint": "write it as networking.endpoint",
            "tracker": "write it as monitoring",
            "model": "write it as predictor.model_path",
            "model_format": "write it as predictor.type",
            "python_path": "write it as predictor.python_path",
        ],
        "predictor": [
            "multi_model_reloading": "write its path as predictor.model_path, and all else of it as predictor.models",
            "model": "write it as model_path",
            "metadata": "write it as config",
            "dependencies": "put requirements.txt and dependencies.sh at the project's root",
            "log_level": "remove it: configure logging in the predictor's module",
            "shm_size": "remove it: workers share the machine's memory",
            "protobuf_path": "gRPC is not served here; remove it",
            "workers_per_replica": "write it as processes_per_replica",
            "threads_per_worker": "write it as threads_per_process",
            "entrypoint": "write it as path",
            "tf_serving_image": "write it as tensorflow_serving_image",
            "tensorflow_serving_path": "write it as tensorflow_serving_image",
        ],
        "predictor.models": [
            "path": "write it as predictor.model_path, without models"
        ],
        "autoscaling": [
            "target_in_flight": "write it as target_replica_concurrency",
            "max_concurrency": "write it as max_replica_concurrency",
            "workers_per_replica": "write it as predictor.processes_per_replica",
            "threads_per_worker": "write it as predictor.threads_per_process",
            "target_cpu_utilization": "replicas are scaled by requests: target_replica_concurrency",
        ],
        "compute": [
            "shm": "remove it: workers share the machine's memory",
            "min_replicas": "write it as autoscaling.min_replicas",
            "max_replicas": "write it as autoscaling.max_replicas",
            "init_replicas": "write it as autoscaling.init_replicas",
            "target_cpu_utilization": "replicas are scaled by requests: autoscaling.target_replica_concurrency",
        ],
    ]
}
