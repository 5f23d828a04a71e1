import CortexSpec
import Testing

@testable import CortexLocalProvider

@Suite struct PackagePlanTests {
    private static let linux = PackageTarget(
        platform: "linux-x86_64",
        python: ToolVersion(major: 3, minor: 11, patch: 7)
    )

    private func plan(
        _ needed: Set<String> = [],
        optional: Set<String> = [],
        type: PredictorType = .python,
        own: Set<String> = [],
        additions: [String] = [],
        variables: [String: String] = [:],
        on target: PackageTarget = Self.linux
    ) -> PackagePlan {
        PackagePlan(
            PackagePlan.Inputs(
                type: type,
                imports: ProjectImports(needed: needed, optional: optional),
                own: own,
                additions: additions,
                variables: variables,
                target: target
            )
        )
    }

    /// Each module of the documentation's lists, as it is imported, and what is asked for on a server without GPUs.
    @Test(arguments: [
        ("boto3", ["boto3"]), ("botocore.config", ["boto3"]), ("cloudpickle", ["cloudpickle"]), ("Cython", ["cython"]),
        ("dill", ["dill"]), ("fastapi", ["fastapi"]), ("joblib", ["joblib"]), ("msgpack", ["msgpack"]),
        ("nltk.corpus", ["nltk"]), ("np_utils", ["np-utils", "numpy"]), ("numpy", ["numpy"]),
        ("cv2", ["opencv-python-headless"]), ("pandas", ["pandas"]), ("PIL.Image", ["pillow"]), ("yaml", ["pyyaml"]),
        ("requests", ["requests"]), ("skimage.io", ["scikit-image"]), ("sklearn.svm.SVC", ["scikit-learn"]),
        ("scipy.stats", ["scipy"]), ("six.moves", ["six"]), ("statsmodels.api", ["statsmodels"]), ("sympy", ["sympy"]),
        ("tensorflow.keras", ["tensorflow-cpu"]), ("keras", ["keras", "tensorflow-cpu"]),
        ("tensorflow_hub", ["setuptools<82", "tensorflow-cpu", "tensorflow-hub"]),
        ("tensorflow_serving.apis", ["tensorflow-cpu", "tensorflow-serving-api"]),
        ("torch.nn", ["numpy", "torch"]), ("torchvision", ["numpy", "torch", "torchvision"]),
        ("xgboost", ["scikit-learn", "xgboost-cpu"]), ("onnxruntime", ["onnxruntime"]), ("jinja2", ["jinja2"]),
        ("uvicorn", ["uvicorn"]), ("datadog", ["datadog"]), ("grpc", ["grpcio"]), ("google.protobuf", ["protobuf"]),
        ("pkg_resources", ["setuptools<82"]),
        // Of the worker's own, of the standard library, of nobody's, and none that the index has.
        ("starlette.responses", []), ("multipart", []), ("json", []), ("google.cloud", []), ("mlflow", []),
        ("torch_neuron", []), ("torch.neuron", []),
    ])
    func `an import brings its package`(module: String, requirements: [String]) {
        #expect(self.plan([module]).requirements == requirements)
    }

    @Test func `an API that imports numpy gets nothing else`() {
        let plan = self.plan(["numpy", "json", "os.path"])
        #expect(plan == PackagePlan(requirements: ["numpy"]))
    }

    @Test func `an optional import brings a small package and no large one`() {
        #expect(
            self.plan(optional: ["yaml", "torch", "tensorflow.keras", "xgboost"]).requirements == [
                "pyyaml", "scikit-learn", "xgboost-cpu",
            ]
        )
    }

    @Test(arguments: [
        (PredictorType.python, "", []),
        (.onnx, "", ["onnxruntime"]),
        (.tensorflow, "", ["tensorflow-cpu"]),
        (.tensorflow, "localhost:8500", ["grpcio", "numpy", "protobuf"]),
    ])
    func `a type brings what its client works with`(type: PredictorType, server: String, requirements: [String]) {
        let variables = [PackagePlan.servingVariable: server]
        #expect(self.plan(type: type, variables: variables).requirements == requirements)
    }

    @Test(arguments: [
        ("numpy", ["sklearn", "numpy"], ["scikit-learn"]),
        ("opencv-contrib-python", ["cv2"], []),
        ("xgboost", ["xgboost"], []),
        ("torch", ["torch"], []),
        ("tensorflow", ["tensorflow"], []),
        ("onnxruntime-gpu", ["onnxruntime"], []),
        ("msgpack-python", ["msgpack"], []),
    ])
    func `what the project asks for is left to it`(own: String, modules: [String], requirements: [String]) {
        let plan = self.plan(Set(modules), own: [own])
        #expect(plan.requirements == requirements)
        #expect(!plan.isTorchWanted)
    }

    @Test func `only one TensorFlow is installed`() {
        let override = ["tensorflow ; python_version < '0'"]
        #expect(self.plan(["tensorflow_hub"]).overrides == override)
        #expect(self.plan(["tensorflow_hub"], own: ["tensorflow-cpu"]).overrides == override)
        #expect(self.plan(["tensorflow_hub"], own: ["tensorflow"]).overrides == [])
        #expect(self.plan(["numpy"]).overrides == [])
    }

    @Test func `a package of the user's that is tied to a TensorFlow decides which`() {
        let plan = self.plan(["tensorflow", "tensorflow_text"], own: ["tensorflow-text"])
        #expect(plan == PackagePlan(requirements: ["tensorflow"]))
    }

    @Test func `torch is looked for as a build for CPUs only where the usual one is for CUDA`() {
        #expect(self.plan(["torch"]).isTorchWanted)
        #expect(self.plan(["torchvision"]).isTorchWanted)
        var target = Self.linux
        target.hasGPU = true
        #expect(!self.plan(["torch"], on: target).isTorchWanted)
        target = PackageTarget(platform: "macosx-14.0-arm64", python: target.python)
        #expect(!self.plan(["torch"], on: target).isTorchWanted)
    }

    @Test func `GPUs and other platforms have other builds`() {
        var target = Self.linux
        target.hasGPU = true
        #expect(
            self.plan(["tensorflow", "xgboost"], type: .onnx, on: target).requirements == [
                "onnxruntime-gpu", "scikit-learn", "tensorflow[and-cuda]", "xgboost",
            ]
        )
        target = PackageTarget(platform: "linux-aarch64", python: target.python)
        #expect(
            self.plan(["tensorflow", "xgboost"], type: .onnx, on: target)
                == PackagePlan(requirements: [
                    "onnxruntime", "scikit-learn", "tensorflow", "xgboost",
                ])
        )
    }

    @Test func `Keras brings the library that it is told to run on`() {
        #expect(
            self.plan(["keras"], variables: ["KERAS_BACKEND": "torch"]).requirements == ["keras", "numpy", "torch"]
        )
        #expect(self.plan(["keras"], variables: ["KERAS_BACKEND": "jax"]).requirements == ["keras"])
        #expect(self.plan(["keras"], own: ["jax"]).requirements == ["keras"])
    }

    @Test func `what workers missed is added`() {
        #expect(self.plan(["numpy"], additions: ["scikit-learn"]).requirements == ["numpy", "scikit-learn"])
        #expect(self.plan(own: ["scikit-learn"], additions: ["scikit-learn", "gone"]).requirements == [])
    }

    @Test func `every need is a known package`() {
        for package in KnownPackages.all {
            for need in package.needs { #expect(KnownPackages.named(need) != nil, "\(package.name) needs \(need)") }
        }
    }

    @Test(arguments: [
        (
            "nosuch.part", [],
            "add the package that has the module nosuch to requirements.txt; its name is often `nosuch`"
        ),
        ("bs4", [], "add `beautifulsoup4` to requirements.txt"),
        ("sklearn.absent", [], "scikit-learn is installed, and that release has no module sklearn.absent"),
        ("cv2.absent", ["opencv-contrib-python"], "opencv-contrib-python is installed as requirements.txt asks for it"),
        (
            "torch_neuron", [],
            "torch-neuron is not in the package index: add `--extra-index-url https://pip.repos.neuron"
        ),
    ])
    func `a module that cannot be added is told with what to do`(module: String, own: [String], advice: String) {
        #expect(MissingAdvice.text(for: module, own: Set(own)).contains(advice))
    }
}
