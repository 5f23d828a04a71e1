/// The packages that are pre-installed, by the lists of all predictor types: each type may import those of the others too.
///
/// `docs/python-packages.md` has the same table in words.
enum KnownPackages {
    static let all: [KnownPackage] =
        Self.ofAllTypes + Self.ofPython + Self.ofTensorFlow + Self.ofONNX + Self.ofInferentia

    private static let ofAllTypes = [
        KnownPackage(name: "boto3", modules: ["boto3", "botocore", "s3transfer"]),
        KnownPackage(name: "dill", modules: ["dill"]),
        KnownPackage(name: "fastapi", modules: ["fastapi", "pydantic"]),
        KnownPackage(name: "msgpack", modules: ["msgpack"], builds: ["msgpack-python"]),
        KnownPackage(name: "numpy", modules: ["numpy"]),
        KnownPackage(name: "pyyaml", modules: ["yaml"]),
        KnownPackage(name: "requests", modules: ["requests", "urllib3", "certifi"]),
        // Not in the lists of the documentation, but there.
        KnownPackage(name: "datadog", modules: ["datadog"]),
        KnownPackage(name: "grpcio", modules: ["grpc"]),
        KnownPackage(name: "jinja2", modules: ["jinja2", "markupsafe"]),
        KnownPackage(name: "protobuf", modules: ["google.protobuf"]),
        KnownPackage(name: "python-multipart", modules: ["multipart", "python_multipart"], source: .worker),
        // Packages of some years ago take `pkg_resources` for granted, which later releases have not.
        KnownPackage(
            name: "setuptools",
            modules: ["setuptools", "pkg_resources"],
            source: .requirement("setuptools<82")
        ),
        KnownPackage(name: "starlette", modules: ["starlette"], source: .worker),
        KnownPackage(name: "uvicorn", modules: ["uvicorn"]),
    ]

    private static let ofPython = [
        KnownPackage(name: "cloudpickle", modules: ["cloudpickle"]),
        KnownPackage(name: "cython", modules: ["Cython", "cython", "pyximport"]),
        KnownPackage(name: "joblib", modules: ["joblib"]),
        KnownPackage(
            name: "keras",
            modules: ["keras"],
            builds: ["keras-nightly"],
            needs: ["tensorflow"],
            isLarge: true
        ),
        KnownPackage(name: "nltk", modules: ["nltk"]),
        KnownPackage(name: "np-utils", modules: ["np_utils"], needs: ["numpy"]),
        // The usual build needs libGL, which servers have not.
        KnownPackage(
            name: "opencv-python",
            modules: ["cv2"],
            source: .requirement("opencv-python-headless"),
            builds: ["opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python-headless"]
        ),
        KnownPackage(name: "pandas", modules: ["pandas", "dateutil"]),
        KnownPackage(name: "pillow", modules: ["PIL"], builds: ["pillow-simd"]),
        KnownPackage(name: "scikit-image", modules: ["skimage"]),
        KnownPackage(name: "scikit-learn", modules: ["sklearn"], builds: ["scikit-learn-intelex"]),
        KnownPackage(name: "scipy", modules: ["scipy"]),
        KnownPackage(name: "six", modules: ["six"]),
        KnownPackage(name: "statsmodels", modules: ["statsmodels"]),
        KnownPackage(name: "sympy", modules: ["sympy", "mpmath"]),
        KnownPackage(
            name: "tensorflow",
            modules: ["tensorflow"],
            source: .tensorFlow,
            builds: [
                "intel-tensorflow", "tensorflow-cpu", "tensorflow-cpu-aws", "tensorflow-gpu", "tensorflow-intel",
                "tensorflow-macos", "tensorflow-neuron", "tensorflow-neuronx", "tf-nightly", "tf-nightly-cpu",
            ],
            isLarge: true
        ),
        KnownPackage(
            name: "tensorflow-hub",
            modules: ["tensorflow_hub"],
            needs: ["tensorflow", "setuptools"],
            isLarge: true
        ),
        KnownPackage(
            name: "torch",
            modules: ["torch"],
            source: .torch,
            builds: ["torch-neuron", "torch-neuronx"],
            needs: ["numpy"],
            isLarge: true
        ),
        KnownPackage(name: "torchvision", modules: ["torchvision"], source: .torch, needs: ["torch"], isLarge: true),
        // Its most used classes are scikit-learn's, where that is there.
        KnownPackage(
            name: "xgboost",
            modules: ["xgboost"],
            source: .withCPUBuild("xgboost-cpu"),
            builds: ["xgboost-cpu", "py-xgboost-cpu"],
            needs: ["scikit-learn"]
        ),
    ]

    private static let ofTensorFlow = [
        KnownPackage(
            name: "tensorflow-serving-api",
            modules: ["tensorflow_serving"],
            builds: ["tensorflow-serving-api-gpu"],
            needs: ["tensorflow"],
            isLarge: true
        )
    ]

    private static let ofONNX = [
        KnownPackage(
            name: "onnxruntime",
            modules: ["onnxruntime"],
            source: .withGPUBuild("onnxruntime-gpu"),
            builds: [
                "onnxruntime-directml", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-silicon",
                "onnxruntime-training", "ort-nightly",
            ]
        )
    ]

    private static let ofInferentia = [
        Self.neuron("neuron-cc", ["neuroncc"]),
        Self.neuron("tensorflow-neuron", ["tensorflow.neuron", "tensorflow_neuron"]),
        Self.neuron("torch-neuron", ["torch.neuron", "torch_neuron"]),
    ]

    private static func neuron(_ name: String, _ modules: [String]) -> KnownPackage {
        let index = "https://pip.repos.neuron.amazonaws.com"
        return KnownPackage(
            name: name,
            modules: modules,
            source: .elsewhere(
                advice: "\(name) is not in the package index: add `--extra-index-url \(index)` and `\(name)`, with a "
                    + "release that has a build for this Python, to requirements.txt"
            )
        )
    }

    private static let byName = Dictionary(uniqueKeysWithValues: Self.all.map { ($0.name, $0) })

    private static let byModule = Dictionary(
        uniqueKeysWithValues: Self.all.flatMap { package in package.modules.map { ($0, package) } }
    )

    static func named(_ name: String) -> KnownPackage? { Self.byName[name] }

    /// The package that gives a module, or one that the module is in.
    static func giving(_ module: String) -> KnownPackage? {
        var name = Substring(module)
        while true {
            if let package = Self.byModule[String(name)] { return package }
            guard let dot = name.lastIndex(of: ".") else { return nil }
            name = name[..<dot]
        }
    }
}
