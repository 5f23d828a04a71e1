/// Reads the `predictor` section.
struct PredictorReader {
    private let section: Section
    private let context: ReadingContext
    private let compute: ComputeSpec

    init(_ section: Section, _ context: ReadingContext, compute: ComputeSpec) {
        self.section = section
        self.context = context
        self.compute = compute
    }

    /// The spec; nil where its type or path is missing or wrong.
    func read() -> PredictorSpec? {
        let type = self.type()
        let path = self.path()
        let processes = self.section.integer("processes_per_replica", in: 1...100) ?? 1
        // The original sets no upper bound; threads are real here, and no machine bears more.
        let threads = self.section.integer("threads_per_process", in: 1...10_000) ?? 1
        let modelPath = self.modelPath()
        let models = ModelsReader.read(of: self.section, type: type, processes: processes, self.context)
        let signatureKey = self.signatureKey(type)
        let batching = BatchingReader.read(
            of: self.section,
            type: type,
            processes: processes,
            threads: threads,
            compute,
            self.context
        )
        let config = self.config()
        let env = self.env()
        let pythonPath = self.pythonPath()
        let image = self.image("image", "has no effect: workers run in an environment made for the project")
        let servingImage = self.image(
            "tensorflow_serving_image",
            type == .tensorflow
                ? "has an effect in clusters only: on one machine the models run in the worker"
                : "has no effect: it is for type tensorflow"
        )
        self.checkModels(type, processes)
        self.section.finish()
        guard let type, let path else { return nil }
        return PredictorSpec(
            type: type,
            path: path,
            config: config,
            pythonPath: pythonPath,
            env: env,
            processesPerReplica: processes,
            threadsPerProcess: threads,
            modelPath: modelPath,
            models: models,
            signatureKey: signatureKey,
            serverSideBatching: batching,
            image: image,
            tensorflowServingImage: servingImage
        )
    }

    private func type() -> PredictorType? {
        self.section.require("type", allowed: "it must be python, tensorflow or onnx")
        let type: PredictorType? = self.section.choice("type")
        switch type {
        case .tensorflow: self.context.require(.tensorflowPredictor, "type", of: self.section, value: "tensorflow")
        case .onnx: self.context.require(.onnxPredictor, "type", of: self.section, value: "onnx")
        case .python, nil: break
        }
        return type
    }

    private func path() -> String? {
        let allowed = "it must be the path of a Python file in the project"
        self.section.require("path", allowed: allowed)
        guard let text = self.section.text("path", allowed: allowed),
            let path = ProjectPath.file(text, "path", of: self.section, self.context)
        else { return nil }
        guard path.hasSuffix(".py") else {
            self.section.fail("path", "\(path.quoted) is not a Python file", allowed: "its name must end in .py")
            return nil
        }
        return path
    }

    private func modelPath() -> String? {
        self.context.require(.modelPath, "model_path", of: self.section)
        guard let path = ModelsReader.place("model_path", of: self.section) else { return nil }
        if self.section.has("model_path"), self.section.has("models") {
            self.section.fail("model_path", "stands beside models", allowed: "give one of the two")
        }
        return path
    }

    private func signatureKey(_ type: PredictorType?) -> String? {
        let key = self.section.text("signature_key")
        guard self.section.has("signature_key") else { return nil }
        if let type, type != .tensorflow {
            self.section.fail("signature_key", "is of type tensorflow only", allowed: "remove the key")
        } else {
            self.context.require(.signatureKey, "signature_key", of: self.section)
            if self.section.has("models") {
                self.section.fail(
                    "signature_key",
                    "has no effect beside models",
                    allowed: "write it as predictor.models.signature_key"
                )
            }
        }
        return key
    }

    private func config() -> [String: JSONValue] {
        self.section.shape?.note("config", ["type": ["object", "null"]], allowed: "passed to the predictor")
        guard let entry = self.section.entry("config"), !entry.value.isNull else { return [:] }
        guard let entries = entry.value.entries else {
            self.section.fail("config", "is \(entry.value.kind)", allowed: "it must be a map")
            return [:]
        }
        return JSONReader(self.section).object(entries, path: self.section.field("config"))
    }

    private func env() -> [String: String] {
        let form: JSONValue = [
            "type": ["object", "null"], "additionalProperties": .scalarText,
            "propertyNames": ["pattern": "^(?!CORTEX_)[A-Za-z_][A-Za-z0-9_]*$"],
        ]
        self.section.shape?.note("env", form, allowed: "variables of the worker's environment")
        if self.section.shape != nil { return [:] }
        guard let section = self.section.section("env", allowsNull: true) else { return [:] }
        return EnvironmentReader.read(section)
    }

    private func pythonPath() -> String? {
        guard let text = self.section.text("python_path", allowed: "it must be a folder in the project") else {
            return nil
        }
        return ProjectPath.folder(text, "python_path", of: self.section, self.context)
    }

    /// - Parameter note: What is to be said of it.
    private func image(_ key: String, _ note: String) -> String? {
        guard let image = self.section.text(key, allowed: "it must be the name of an image", allowsEmpty: true),
            !image.isEmpty
        else {
            return nil
        }
        guard ImageReference.isLegal(image) else {
            self.section.fail(
                key,
                "\(image.quoted) is not the name of an image",
                allowed: "such as registry.example.com/team/image:1.2"
            )
            return nil
        }
        self.section.warn(key, note)
        return image
    }

    /// The types that are nothing without a model.
    private func checkModels(_ type: PredictorType?, _ processes: Int) {
        if let type, type != .python, !self.context.isPending(type == .onnx ? .onnxPredictor : .tensorflowPredictor),
            !self.section.has("model_path"), !self.section.has("models")
        {
            self.section.fail("type", "\(type.rawValue) needs a model", allowed: "give model_path or models")
        }
        let inferentia = self.compute.inf
        if inferentia > 0, (4 * inferentia) % processes != 0 {
            let counts = (1...(4 * inferentia)).filter { (4 * inferentia) % $0 == 0 }.map(String.init).alternatives
            self.section.fail(
                "processes_per_replica",
                "is \(processes) with compute.inf \(inferentia)",
                allowed: "it must be \(counts)"
            )
        }
        if inferentia > 0, type == .onnx {
            self.section.fail(
                "type",
                "onnx does not run on compute.inf",
                allowed: "use python or tensorflow, or remove compute.inf"
            )
        }
    }
}
