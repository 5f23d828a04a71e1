import CortexSpec

/// A TensorFlow Serving beside the worker, where the API names an image of it.
///
/// It is the API's own: it starts with no model, and the worker tells it which ones to load, from the files of the pod's home
/// that both see. What it was told last stands in a file, so that it has all when it starts again.
extension ReplicaTemplate {
    private static let servingName = "tensorflow-serving"
    private static let servingPort: Int64 = 9000

    var hasServing: Bool { self.spec.predictor.servingImage != nil }

    var share: ComputeShare { ComputeShare(self.spec.compute, hasServing: self.hasServing) }

    /// By which workers find it.
    var servingVariables: [JSONValue] {
        guard self.hasServing else { return [] }
        return [
            Self.variable("TENSORFLOW_SERVING_ADDRESS", "127.0.0.1:\(Self.servingPort)"),
            Self.variable("TENSORFLOW_SERVING_MANAGED", "true"),
            Self.variable("TENSORFLOW_SERVING_FOLDER", Folder.serving),
        ]
    }

    var tensorFlowServing: JSONValue? {
        guard let image = self.spec.predictor.servingImage else { return nil }
        return [
            "name": .string(Self.servingName),
            "image": .string(image),
            // The file is not polled: what the worker has said since would be taken back.
            "args": [
                .string("--port=\(Self.servingPort)"),
                .string("--model_config_file=\(Folder.serving)/models.config"),
            ],
            "volumeMounts": [["name": "home", "mountPath": .string(Folder.home), "readOnly": true]],
            // It listens once it has loaded what the file says.
            "readinessProbe": [
                "tcpSocket": ["port": .int(Self.servingPort)], "periodSeconds": 1, "failureThreshold": 2,
            ],
            "terminationMessagePolicy": "FallbackToLogsOnError",
            // The files are the worker's, whose user may read them.
            "securityContext": [
                "runAsUser": .int(Self.user), "allowPrivilegeEscalation": false, "capabilities": ["drop": ["ALL"]],
            ],
            "resources": self.share.ofServing,
        ]
    }
}
