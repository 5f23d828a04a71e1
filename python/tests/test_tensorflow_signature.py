"""Which signature of a model is served, and which cannot be."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cortex_worker.models.tensorflow_errors import SignatureError
from cortex_worker.models.tensorflow_signature import described, served_signature

FLOAT, INT64, QINT8, RESOURCE = 1, 9, 11, 20


def tensor(number: int = FLOAT, *sizes: int, name: str = "x:0", unknown: bool = False) -> SimpleNamespace:
    shape = SimpleNamespace(unknown_rank=unknown, dim=[SimpleNamespace(size=size) for size in sizes])
    return SimpleNamespace(dtype=number, tensor_shape=shape, name=name)


def definition(inputs: dict[str, Any] | None = None, outputs: dict[str, Any] | None = None) -> SimpleNamespace:
    given = {"x": tensor(FLOAT, -1)} if inputs is None else inputs
    return SimpleNamespace(inputs=given, outputs=given if outputs is None else outputs)


OTHER = definition({"y": tensor(INT64, -1)})
INITIALISER = SimpleNamespace(inputs={}, outputs={"__saved_model_init_op": tensor(0, unknown=True)})


@pytest.mark.parametrize(
    ("keys", "wanted", "served"),
    [
        (["only"], None, "only"),
        (["only"], "only", "only"),
        (["predict", "other"], None, "predict"),
        (["predict", "other"], "other", "other"),
        (["only", "__saved_model_init_op"], None, "only"),
        (["predict", "__saved_model_init_op"], "predict", "predict"),
        (["serve", "serving_default", "__saved_model_init_op"], None, "serving_default"),
    ],
)
def test_the_signature_that_is_served(keys: list[str], wanted: str | None, served: str) -> None:
    known = {"other": OTHER, "__saved_model_init_op": INITIALISER}
    definitions = {key: known.get(key, definition()) for key in keys}
    assert served_signature(definitions, wanted).key == served


@pytest.mark.parametrize(
    ("definitions", "wanted", "text"),
    [
        ({}, None, "no signatures"),
        ({"__saved_model_init_op": INITIALISER}, None, "no signatures"),
        ({"a": definition()}, "b", "signature_key 'b' was not found in the model; available: 'a'"),
        ({"a": definition()}, "__saved_model_init_op", "was not found"),
        ({"a": definition(), "b": OTHER}, None, "signature_key must be specified, one of 'a', 'b'"),
        ({"serving_default": definition(), "b": OTHER}, None, "must be specified, one of 'b', 'serving_default'"),
        ({"a": definition({})}, None, "the signature 'a' of the model has no inputs"),
        ({"a": definition({"q": tensor(QINT8)})}, None, "input 'q' of the signature 'a' is of type qint8"),
        ({"a": definition({"x": tensor()}, {"r": tensor(RESOURCE)})}, None, "output 'r' of the signature 'a' is of"),
        ({"a": definition({"x": tensor(99)})}, None, "type number 99"),
        ({"a": definition({"x": tensor(name="")})}, None, "input 'x' of the signature 'a' is no dense tensor"),
    ],
)
def test_signatures_that_cannot_be_served(definitions: dict[str, Any], wanted: str | None, text: str) -> None:
    with pytest.raises(SignatureError) as raised:
        served_signature(definitions, wanted)
    assert text in str(raised.value)


def test_shapes_are_told_apart() -> None:
    inputs = {
        "scalar": tensor(FLOAT),
        "any": tensor(FLOAT, unknown=True),
        "rows": tensor(INT64, -1, 4),
    }
    signature = served_signature({"a": definition(inputs)}, None)
    assert described(signature.inputs) == {
        "any": {"shape": ["unknown"], "type": "float32"},
        "rows": {"shape": [None, 4], "type": "int64"},
        "scalar": {"shape": [], "type": "float32"},
    }
    rows = signature.inputs["rows"]
    assert [rows.admits(shape) for shape in [(2, 4), (0, 4), (2, 3), (4,), ()]] == [True, True, False, False, False]
    assert str(rows) == "int64 [-1, 4]"
