"""`onnx_client` on onnxruntime: what is converted how, and what is said of the rest."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from catalogs import model, settings, single
from cortex_worker.errors import InferenceFailed, ModelLoadFailed, ModelNotFound
from cortex_worker.models.catalog import ModelSettings
from cortex_worker.models.holder import ModelHolder
from cortex_worker.models.onnx import ONNXClient, ONNXLoader
from onnx_models import save_identity, save_scaler, save_sequence, save_zip_map

if TYPE_CHECKING:
    from pathlib import Path


def client_of(root: Path, models: dict[str, Any] | None = None) -> ONNXClient:
    """A client of one model in `root`, or of several in its folders."""
    parsed = ModelSettings.parse(models or single(1))
    holder = ModelHolder(
        parsed,
        ONNXLoader(),
        lambda name, version, _: str(root / name / version if models else root),
        lambda _: None,
        lambda level, message: pytest.fail(f"{level}: {message}"),
    )
    return ONNXClient(holder)


FLOAT = np.float32
CASES: list[tuple[str, str, list[Any], Any, Any]] = [
    # type, declared shape, given, what the model gets
    ("a flat list", "float32", [1, 4], [5.5, 3.5, 1.5, 0.5], np.array([[5.5, 3.5, 1.5, 0.5]], FLOAT)),
    ("rows that fit in number", "float32", [1, 4], [[1, 2], [3, 4]], np.array([[1, 2, 3, 4]], FLOAT)),
    ("three rows", "float32", ["batch", 4], [[1] * 4] * 3, np.ones((3, 4), FLOAT)),
    ("three rows, flat", "float32", ["batch", 4], [1] * 12, np.ones((3, 4), FLOAT)),
    ("an unnamed size is free", "float32", [None, 4], [[1] * 4] * 2, np.ones((2, 4), FLOAT)),
    ("two free sizes", "float32", ["a", "b"], [[1, 2], [3, 4]], np.array([[1, 2], [3, 4]], FLOAT)),
    ("floats for integers are cut", "int64", [1, 2], [1.7, 2], np.array([[1, 2]], np.int64)),
    ("text for numbers is read", "float32", [2], ["1.5", "2"], np.array([1.5, 2], FLOAT)),
    ("zeros and ones for truth", "bool", [2], [1, 0], np.array([True, False])),
    ("text", "object", [2], ["a", "é"], np.array(["a", "é"], object)),
    ("an array of text", "object", [1, 2], np.array(["a", "b"]), np.array([["a", "b"]], object)),
    ("an array of another number type", "float32", [2], np.array([1, 2], np.int64), np.array([1, 2], FLOAT)),
    ("an array as it is", "float16", ["a", "b"], np.ones((2, 3), np.float16), np.ones((2, 3), np.float16)),
    ("a turned array", "float32", ["a", "b"], np.arange(6, dtype=FLOAT).reshape(2, 3).T, np.arange(6).reshape(2, 3).T),
    ("a scalar", "float64", [], 3, np.array(3.0)),
    ("a scalar in a list", "int32", [], [3], np.array(3, np.int32)),
    ("a scalar for one value", "uint8", [1], 7, np.array([7], np.uint8)),
    ("no rows", "float32", ["batch", 4], np.zeros((0, 4), FLOAT), np.zeros((0, 4), FLOAT)),
    ("what is not finite", "float32", [2], [math.inf, math.nan], np.array([math.inf, math.nan], FLOAT)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "shape", "given", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_inputs(tmp_path: Path, kind: str, shape: list[Any], given: Any, expected: Any) -> None:
    save_identity(tmp_path, x=(kind, shape))
    client = client_of(tmp_path)
    for model_input in (given, {"x": given, "other": 1}):
        (output,) = client.predict(model_input)
        assert output.dtype == np.dtype(kind)
        np.testing.assert_array_equal(output, expected)


BAD: list[tuple[str, str, list[Any], Any, str]] = [
    ("too few", "float32", [1, 4], [1, 2, 3],
     'input "x": expected float32 of shape [1, 4], given int64 of shape [3] (list): '
     "cannot reshape array of size 3 into shape (1,4)"),
    ("too many rows", "float32", [1, 4], [[1] * 4] * 2, "cannot reshape array of size 8 into shape (1,4)"),
    ("no multiple", "float32", ["batch", 4], [1] * 6, "expected float32 of shape [batch, 4], given int64 of shape [6]"),
    ("uneven rows", "float32", [None, 2], [[1, 2], [3]], "shape [?, 2], given a list of uneven lengths"),
    ("words", "float32", [1], ["abc"], 'input "x": expected float32 of shape [1], given str of shape [1] (list)'),
    ("truth for numbers", "float32", [1], np.array([True]), "expected dtype float32 but found bool"),
    ("numbers for text", "object", [1], np.array([1]), "expected dtype object but found int64"),
    ("an object", "float32", [1], object(), "given object"),
    ("a number too large", "int8", [1], [300], 'input "x": expected int8 of shape [1]'),
    ("nothing", "float32", [1], None, "given NoneType: there is no value"),
    ("a missing name", "float32", [1], {"y": 1}, 'missing key "x"; expected keys: "x"'),
    ("None by name", "float32", [1], {"x": None}, 'missing key "x"'),
    ("a rank that onnxruntime refuses", "float32", ["a", "b"], [1, 2, 3], "Invalid rank for input: x"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "shape", "given", "message"), [case[1:] for case in BAD], ids=[c[0] for c in BAD])
def test_inputs_that_do_not_fit(tmp_path: Path, kind: str, shape: list[Any], given: Any, message: str) -> None:
    save_identity(tmp_path, x=(kind, shape))
    with pytest.raises(InferenceFailed) as caught:
        client_of(tmp_path).predict(given)
    assert str(caught.value).startswith("failed inference with the model of version 1 (latest): ")
    assert message in str(caught.value)


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    save_identity(tmp_path, a=("float32", [2]), b=("int64", ["n"]))
    client = client_of(tmp_path)
    a, b = client.predict({"b": [1, 2, 3], "a": [1, 2], "c": 0})
    assert (a.tolist(), b.tolist()) == ([1.0, 2.0], [1, 2, 3])
    with pytest.raises(InferenceFailed, match='a dictionary with keys "a", "b", given a list'):
        client.predict([1, 2])
    with pytest.raises(InferenceFailed, match='missing key "b"'):
        client.predict({"a": [1, 2]})


def test_outputs_that_are_no_arrays(tmp_path: Path) -> None:
    save_zip_map(tmp_path)
    assert client_of(tmp_path).predict([[0.25, 0.75]]) == [[{"a": 0.25, "b": 0.75}]]


def test_inputs_that_are_no_arrays(tmp_path: Path) -> None:
    save_sequence(tmp_path)
    client = client_of(tmp_path)
    with pytest.raises(InferenceFailed, match=r"of the type seq\(tensor\(float\)\).*get_model"):
        client.predict([[1.0]])
    session = client.get_model()["session"]
    assert session.run(None, {"x": [np.ones(2, FLOAT)] * 3})[0] == 3


def test_get_model(tmp_path: Path) -> None:
    save_identity(tmp_path, image=("float32", ["batch", 3, 224, None]), flag=("bool", []), name=("object", [1]))
    got = client_of(tmp_path).get_model()
    assert got["input_signatures"] == {
        "image": {"shape": ["batch", 3, 224, None], "type": "float32"},
        "flag": {"shape": [], "type": "bool"},
        "name": {"shape": [1], "type": "object"},
    }
    assert [node.name for node in got["signatures"]] == ["image", "flag", "name"]
    assert got["session"].get_outputs()[0].name == "image_out"


def test_models_by_name_and_version(tmp_path: Path) -> None:
    for name, version, factor in (("a", "1", 2.0), ("a", "10", 3.0), ("b", "1", 5.0)):
        save_scaler(tmp_path / name / version, factor)
    client = client_of(tmp_path, settings(a=model(1, 10), b=model(1)))
    given = [1, 1, 1, 1]
    results = [client.predict(given, *choice)[0][0][0] for choice in (("a",), ("a", "1"), ("a", None), ("b", 1))]
    assert results == [3.0, 2.0, 3.0, 5.0]
    with pytest.raises(ModelNotFound, match="available: 10, 1"):
        client.predict(given, "a", "2")
    with pytest.raises(InferenceFailed, match="failed inference with model a of version 1: "):
        client.predict([1], "a", "1")
    assert client.metadata == {
        "a": {"versions": ["1", "10"], "timestamps": [1001, 1010]},
        "b": {"versions": ["1"], "timestamps": [1001]},
    }
    assert client.caching is False


def test_models_that_do_not_load(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelLoadFailed, match="version 1 of the model could not be loaded: ") as caught:
        client_of(tmp_path).get_model()
    assert "<model>/model.onnx" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert caught.value.details is not None
    (tmp_path / "second.onnx").write_bytes(b"")
    with pytest.raises(ModelLoadFailed, match=r"expected one \.onnx file, found 2"):
        client_of(tmp_path).get_model()


def test_without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelLoadFailed, match=r"add onnxruntime to requirements.txt"):
        ONNXLoader().prepare()


def test_threads_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_scaler(tmp_path, 1.0)
    for text, expected in (("3", 3), ("2, 1", 2), ("many", 0)):
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        options = client_of(tmp_path).get_model()["session"].get_session_options()
        assert options.intra_op_num_threads == expected
