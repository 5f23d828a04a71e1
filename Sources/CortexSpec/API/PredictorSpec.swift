/// The `predictor` section: the user's class and how many copies of it run.
package struct PredictorSpec: Hashable, Sendable, Codable {
    package var type: PredictorType
    /// Path of the user's module, relative to the project's root, without `./`.
    package var path: String
    /// Passed to the predictor's constructor.
    package var config: [String: JSONValue]
    /// Folder below the project's root that is put on Python's module path; nil is the root itself.
    package var pythonPath: String?
    package var env: [String: String]
    /// 1 to 100.
    package var processesPerReplica: Int
    /// At least 1.
    package var threadsPerProcess: Int

    package init(
        type: PredictorType = .python,
        path: String,
        config: [String: JSONValue] = [:],
        pythonPath: String? = nil,
        env: [String: String] = [:],
        processesPerReplica: Int = 1,
        threadsPerProcess: Int = 1
    ) {
        self.type = type
        self.path = path
        self.config = config
        self.pythonPath = pythonPath
        self.env = env
        self.processesPerReplica = processesPerReplica
        self.threadsPerProcess = threadsPerProcess
    }

    private enum CodingKeys: String, CodingKey {
        case type, path, config, env
        case pythonPath = "python_path"
        case processesPerReplica = "processes_per_replica"
        case threadsPerProcess = "threads_per_process"
    }
}

/// Which predictor class the user's module defines.
package enum PredictorType: String, Hashable, Sendable, Codable, CaseIterable {
    case python, tensorflow, onnx
}
