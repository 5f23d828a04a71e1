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
    /// 1 to 10,000.
    package var threadsPerProcess: Int
    /// The one model of the API, ending in `/`; nil where there is none, or there are ``models``.
    package var modelPath: String?
    package var models: ModelsSpec?
    /// Which signature of the TensorFlow model at ``modelPath`` answers; nil lets the only one.
    package var signatureKey: String?
    package var serverSideBatching: BatchingSpec?
    /// Of the original, for its workers; without effect.
    package var image: String?
    package var tensorflowServingImage: String?

    /// The image of the server that runs the models, beside the workers in a cluster; nil where they run in the worker.
    package var servingImage: String? { self.type == .tensorflow ? self.tensorflowServingImage : nil }

    package init(
        type: PredictorType = .python,
        path: String,
        config: [String: JSONValue] = [:],
        pythonPath: String? = nil,
        env: [String: String] = [:],
        processesPerReplica: Int = 1,
        threadsPerProcess: Int = 1,
        modelPath: String? = nil,
        models: ModelsSpec? = nil,
        signatureKey: String? = nil,
        serverSideBatching: BatchingSpec? = nil,
        image: String? = nil,
        tensorflowServingImage: String? = nil
    ) {
        self.type = type
        self.path = path
        self.config = config
        self.pythonPath = pythonPath
        self.env = env
        self.processesPerReplica = processesPerReplica
        self.threadsPerProcess = threadsPerProcess
        self.modelPath = modelPath
        self.models = models
        self.signatureKey = signatureKey
        self.serverSideBatching = serverSideBatching
        self.image = image
        self.tensorflowServingImage = tensorflowServingImage
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let path = try fields.decode(String.self, forKey: .path)
        let standard = Self(path: path)
        self.init(
            type: try fields.decode(.type, or: standard.type),
            path: path,
            config: try fields.decode(.config, or: standard.config),
            pythonPath: try fields.decodeIfPresent(String.self, forKey: .pythonPath),
            env: try fields.decode(.env, or: standard.env),
            processesPerReplica: try fields.decode(.processesPerReplica, or: standard.processesPerReplica),
            threadsPerProcess: try fields.decode(.threadsPerProcess, or: standard.threadsPerProcess),
            modelPath: try fields.decodeIfPresent(String.self, forKey: .modelPath),
            models: try fields.decodeIfPresent(ModelsSpec.self, forKey: .models),
            signatureKey: try fields.decodeIfPresent(String.self, forKey: .signatureKey),
            serverSideBatching: try fields.decodeIfPresent(BatchingSpec.self, forKey: .serverSideBatching),
            image: try fields.decodeIfPresent(String.self, forKey: .image),
            tensorflowServingImage: try fields.decodeIfPresent(String.self, forKey: .tensorflowServingImage)
        )
    }

    private enum CodingKeys: String, CodingKey {
        case type, path, config, env, models, image
        case pythonPath = "python_path"
        case processesPerReplica = "processes_per_replica"
        case threadsPerProcess = "threads_per_process"
        case modelPath = "model_path"
        case signatureKey = "signature_key"
        case serverSideBatching = "server_side_batching"
        case tensorflowServingImage = "tensorflow_serving_image"
    }
}

/// Which predictor class the user's module defines.
package enum PredictorType: String, Hashable, Sendable, Codable, CaseIterable {
    case python, tensorflow, onnx
}
