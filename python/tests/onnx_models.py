"""Small ONNX models, made for one test each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx import TensorProto, helper, save

if TYPE_CHECKING:
    from pathlib import Path

TYPES = {
    "float16": TensorProto.FLOAT16,
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int8": TensorProto.INT8,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8,
    "bool": TensorProto.BOOL,
    "object": TensorProto.STRING,
}


def save_identity(folder: Path, **inputs: tuple[str, list[Any]]) -> None:
    """A model that gives back each input `x` as the output `x_out`."""
    nodes, given, returned = [], [], []
    for name, (kind, shape) in inputs.items():
        nodes.append(helper.make_node("Identity", [name], [f"{name}_out"]))
        given.append(helper.make_tensor_value_info(name, TYPES[kind], shape))
        returned.append(helper.make_tensor_value_info(f"{name}_out", TYPES[kind], shape))
    _save(folder, helper.make_graph(nodes, "identity", given, returned))


def save_scaler(folder: Path, factor: float, size: int = 1) -> None:
    """A model that multiplies its float[batch, 4] input; `size` floats of ballast belong to it."""
    weights = [
        helper.make_tensor("factor", TensorProto.FLOAT, [1], [factor]),
        helper.make_tensor("ballast", TensorProto.FLOAT, [size], b"\0" * (4 * size), raw=True),
    ]
    nodes = [
        helper.make_node("ReduceMax", ["ballast"], ["zero"], keepdims=0),
        helper.make_node("Add", ["factor", "zero"], ["whole"]),
        helper.make_node("Mul", ["x", "whole"], ["y"]),
    ]
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])]
    returned = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4])]
    _save(folder, helper.make_graph(nodes, "scaler", given, returned, weights))


def save_zip_map(folder: Path) -> None:
    """A model whose one output is a list of dictionaries, as classifiers of scikit-learn have."""
    node = helper.make_node("ZipMap", ["x"], ["z"], domain="ai.onnx.ml", classlabels_strings=["a", "b"])
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])]
    element = helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    returned = [helper.make_value_info("z", helper.make_sequence_type_proto(element))]
    _save(folder, helper.make_graph([node], "zip", given, returned))


def save_sequence(folder: Path) -> None:
    """A model whose input is no tensor."""
    element = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [None]))
    node = helper.make_node("SequenceLength", ["x"], ["n"])
    given = [helper.make_value_info("x", element)]
    returned = [helper.make_tensor_value_info("n", TensorProto.INT64, [])]
    _save(folder, helper.make_graph([node], "sequence", given, returned))


def _save(folder: Path, graph: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(folder / "model.onnx"))
