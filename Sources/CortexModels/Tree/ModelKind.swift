package import CortexSpec

/// What a model is made of, which decides what its folder must hold.
package enum ModelKind: Hashable, Sendable {
    /// Whatever the user's `load_model` reads.
    case python
    /// A SavedModel.
    case tensorflow
    /// A SavedModel compiled for Inferentia.
    case neuron
    /// One `.onnx` file.
    case onnx

    /// - Parameter inferentia: How many Inferentia chips a replica has (`compute.inf`).
    package init(_ type: PredictorType, inferentia: Int = 0) {
        self =
            switch type {
            case .python: .python
            case .tensorflow: inferentia > 0 ? .neuron : .tensorflow
            case .onnx: .onnx
            }
    }

    /// As messages call it: `TensorFlow` of `TensorFlow model`.
    package var title: String {
        switch self {
        case .python: "Python"
        case .tensorflow: "TensorFlow"
        case .neuron: "Neuron TensorFlow"
        case .onnx: "ONNX"
        }
    }
}
