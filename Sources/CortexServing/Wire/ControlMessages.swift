package import CortexSpec

/// The version of `docs/wire-protocol.md` that this server speaks.
package let wireProtocolVersion = 1

/// The first frame on each connection of a worker.
package struct HelloMessage: Hashable, Sendable, Codable {
    package enum Role: String, Sendable, Codable {
        case control, slot
        /// Nothing is said on it: its end is the server's end, see `docs/wire-protocol.md`.
        case lifeline
    }

    package var `protocol`: Int
    package var worker: String
    package var token: String
    package var role: Role
    package var slot: Int
    package var capabilities: [String]
}

/// All that a worker has to know to build the user's predictor.
package struct WelcomeMessage: Hashable, Sendable {
    package var api: String
    package var apiVersion: Int
    package var projectDirectory: String
    package var predictorPath: String
    package var predictorType: PredictorType
    package var pythonPath: String?
    package var config: [String: JSONValue]
    package var threads: Int
    package var spoolDirectory: String
    package var inlineLimit: Int
    package var jsonDepthLimit: Int
    package var formPartLimit: Int

    package init(
        api: String,
        apiVersion: Int,
        projectDirectory: String,
        predictorPath: String,
        predictorType: PredictorType,
        pythonPath: String?,
        config: [String: JSONValue],
        threads: Int,
        spoolDirectory: String,
        inlineLimit: Int,
        jsonDepthLimit: Int,
        formPartLimit: Int
    ) {
        self.api = api
        self.apiVersion = apiVersion
        self.projectDirectory = projectDirectory
        self.predictorPath = predictorPath
        self.predictorType = predictorType
        self.pythonPath = pythonPath
        self.config = config
        self.threads = threads
        self.spoolDirectory = spoolDirectory
        self.inlineLimit = inlineLimit
        self.jsonDepthLimit = jsonDepthLimit
        self.formPartLimit = formPartLimit
    }

    /// The message as it is sent: every key is there, `python_path` and `models` as null where there are none.
    func json(models: JSONValue) -> JSONValue {
        .object([
            "protocol": .int(Int64(wireProtocolVersion)),
            "capabilities": .array([]),
            "api": .string(self.api),
            "api_version": .int(Int64(self.apiVersion)),
            "project_directory": .string(self.projectDirectory),
            "predictor_path": .string(self.predictorPath),
            "predictor_type": .string(self.predictorType.rawValue),
            "python_path": self.pythonPath.map { .string($0) } ?? .null,
            "config": .object(self.config),
            "threads": .int(Int64(self.threads)),
            "spool_directory": .string(self.spoolDirectory),
            "inline_limit": .int(Int64(self.inlineLimit)),
            "json_depth_limit": .int(Int64(self.jsonDepthLimit)),
            "form_part_limit": .int(Int64(self.formPartLimit)),
            "models": models,
        ])
    }
}

/// The predictor is built: what its methods take.
package struct ReadyMessage: Hashable, Sendable, Codable {
    package var python: String
    package var pid: Int32
    package var arguments: Set<String>
    package var postPredict: Bool
    /// The class and its methods for people, such as `["PythonPredictor(config)", "predict(payload)"]`.
    package var signature: [String]?

    private enum CodingKeys: String, CodingKey {
        case python, pid, arguments, signature
        case postPredict = "post_predict"
    }
}

/// The predictor could not be built; the worker ends after this.
package struct FailedMessage: Hashable, Sendable, Codable {
    package var stage: String
    package var error: String
    package var traceback: String?
}

/// User code, or what it called, wanted a module that is not there.
package struct MissingMessage: Hashable, Sendable, Codable {
    /// When a worker can find out.
    package enum Stage: String, Hashable, Sendable, Codable {
        case `import`, contract, constructor, models, request
    }

    /// Its whole name, such as `sklearn` or `google.protobuf`.
    package var module: String
    package var stage: Stage
}
