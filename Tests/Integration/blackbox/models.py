"""Small models for tests, and what a server says of models."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from blackbox.server import Server


def onnx_value(value: float, padding: int = 0) -> bytes:
    """A model that answers `value` for each number it is given; `padding` numbers more make it heavier."""
    nodes = [
        helper.make_node("Mul", ["x", "zero"], ["nothing"]),
        helper.make_node("ReduceMax", ["padding"], ["most"], keepdims=0),
        helper.make_node("Mul", ["most", "value"], ["answer"]),
        helper.make_node("Add", ["nothing", "answer"], ["y"]),
    ]
    constants = {
        "zero": np.zeros(1, np.float32),
        "value": np.array([value], np.float32),
        "padding": np.ones(padding + 1, np.float32),
    }
    return graph(nodes, constants, ("x", ["n"]), ("y", ["n"]))


def onnx_linear(weights: Any, inputs: str = "x", outputs: str = "scores") -> bytes:
    """A model that multiplies rows by a matrix."""
    matrix = np.asarray(weights, np.float32)
    node = helper.make_node("MatMul", [inputs, "weights"], [outputs])
    rows, columns = matrix.shape
    return graph([node], {"weights": matrix}, (inputs, ["batch", rows]), (outputs, ["batch", columns]))


def onnx_classes(weights: Any) -> bytes:
    """A model that tells which column of a matrix suits each row best."""
    matrix = np.asarray(weights, np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "weights"], ["scores"]),
        helper.make_node("ArgMax", ["scores"], ["classes"], axis=1, keepdims=0),
    ]
    return graph(nodes, {"weights": matrix}, ("x", ["batch", len(matrix)]), ("classes", ["batch"]), TensorProto.INT64)


def graph(
    nodes: list[Any],
    constants: dict[str, Any],
    inputs: tuple[str, list[Any]],
    outputs: tuple[str, list[Any]],
    answer: int = TensorProto.FLOAT,
) -> bytes:
    """A model of one input and one output, in a format that older runtimes read."""
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(inputs[0], TensorProto.FLOAT, inputs[1])],
        [helper.make_tensor_value_info(outputs[0], answer, outputs[1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def run_script(script: Path, *arguments: str) -> str:
    """Runs a script that names what it needs, in an environment of its own; returns what it prints."""
    done = subprocess.run(
        ["uv", "run", "--quiet", str(script), *arguments],
        cwd=script.parent,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, (script, done.stdout, done.stderr[-3000:])
    return done.stdout


def replace_folder(source: Path, target: Path) -> None:
    """Copies a folder beside its target, then puts it in its place."""
    new = target.with_name(f".{target.name}.new")
    shutil.copytree(source, new)
    shutil.rmtree(target, ignore_errors=True)
    new.rename(target)


def metadata(server: Server, api: str) -> dict[str, Any]:
    """`model_metadata` of the summary that GET gives."""
    answer = server.get(api)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["model_metadata"]
    return found


def versions(server: Server, api: str, model: str = "_cortex_default") -> list[str]:
    """The versions of a model that the summary lists, in their order; none where it does not list the model."""
    entry = metadata(server, api).get(model, {})
    return sorted(entry.get("versions", []), key=int)


def observed(server: Server, api: str, model: str = "_cortex_default") -> dict[str, dict[str, Any]]:
    """What `cortex get -o json` says of a model's versions, by version."""
    entries = server.json("get", api)[0].get("models", [])
    return {entry.get("version", ""): entry for entry in entries if entry["name"] == model}


def on_disk(server: Server) -> int:
    """How many versions of models are whole on the server's disk."""
    folder = server.home / "models" / "objects"
    return len(list(folder.iterdir())) if folder.exists() else 0
