"""Writes the models that are measured: `export_models.py iris FILE` and `export_models.py dense WIDTH FILE`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np


def iris() -> Any:
    """A logistic regression on the 150 flowers that come with scikit-learn."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, y)
    return to_onnx(model, initial_types=[("lengths", FloatTensorType([None, 4]))], target_opset=17)


def dense(width: int) -> Any:
    """One layer of random weights, as many in as out."""
    from onnx import TensorProto, helper, numpy_helper

    shape = [None, width]
    weights = np.random.default_rng(0).standard_normal((width, width), dtype=np.float32) / width
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["product"]), helper.make_node("Relu", ["product"], ["y"])],
        "dense",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(weights, "w")],
    )
    # Versions that older releases of onnxruntime know.
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main() -> None:
    """Writes one file."""
    kind, *options, file = sys.argv[1:]
    model = iris() if kind == "iris" else dense(int(options[0]))
    Path(file).write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
