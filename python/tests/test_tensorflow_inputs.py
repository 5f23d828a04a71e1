"""From a predictor's values to arrays: what is taken, what is refused, and how that is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cortex_worker.models.tensorflow_errors import InvalidModelInput
from cortex_worker.models.tensorflow_inputs import InputPlan
from cortex_worker.models.tensorflow_signature import TensorSpec
from cortex_worker.models.tensorflow_types import ELEMENT_TYPES

TYPES = {kind.name: kind for kind in ELEMENT_TYPES.values()}


def plan(kind: str, shape: tuple[int | None, ...] | None = (None,)) -> InputPlan:
    return InputPlan("x", TensorSpec(TYPES[kind], shape), "model m of version 1")


@pytest.mark.parametrize(
    ("kind", "given", "made"),
    [
        ("float32", [1, 2.5, True], [1.0, 2.5, 1.0]),
        ("float32", [2**70], [float(2**70)]),
        ("float32", [1e300], [np.inf]),
        ("float64", np.array([1, 2], "uint8"), [1.0, 2.0]),
        ("float16", [70000], [np.inf]),
        ("int64", [True, 2], [1, 2]),
        ("int64", np.array([1.7, -1.7]), [1, -1]),
        ("int8", [-128, 127], [-128, 127]),
        ("uint64", [0, 2**64 - 1], [0, 2**64 - 1]),
        ("uint64", [1, 2], [1, 2]),
        ("bool", [True, False], [True, False]),
        ("bool", np.array([0, 2]), [False, True]),
        ("complex64", [1, 2.5, 1j], [1, 2.5, 1j]),
        ("float32", np.array([1, 2.5], dtype=object), [1.0, 2.5]),
        ("int32", np.arange(6)[::2], [0, 2, 4]),
        ("string", ["a", b"\xff", "\u00e9"], [b"a", b"\xff", b"\xc3\xa9"]),
        ("string", np.array(["a", "bc"]), [b"a", b"bc"]),
        ("string", np.array([b"a", b"bc"]), [b"a", b"bc"]),
        ("string", [["a"], ["b"]], [[b"a"], [b"b"]]),
        ("float32", (), []),
        ("string", [], []),
    ],
)
def test_values_become_arrays_of_the_type(kind: str, given: Any, made: list[Any]) -> None:
    array = plan(kind).array(given)
    assert array.dtype == np.dtype(TYPES[kind].host)
    assert array.tolist() == made


@pytest.mark.parametrize(
    ("kind", "given", "text"),
    [
        ("int32", [1.0], "expected int32 [-1], given floats [1]"),
        ("int32", [2**31], "given a value out of the range of int32"),
        ("int64", [2**63], "given a value out of the range of int64"),
        ("int64", [2**90], "given a value out of the range of int64"),
        ("uint8", [-1], "given a value out of the range of uint8"),
        ("uint64", [-1], "given a value out of the range of uint64"),
        ("int16", np.array([40000]), "given a value out of the range of int16"),
        ("int16", np.array([np.nan]), "given a value out of the range of int16"),
        ("int64", np.array([2.0**63]), "given a value out of the range of int64"),
        ("bool", [1], "expected bool [-1], given integers [1]"),
        ("float32", [1j], "expected float32 [-1], given complex numbers [1]"),
        ("float32", np.array([1j]), "given an array of complex128 [1]"),
        ("float32", "1.5", "expected float32 [-1], given text []"),
        ("float32", b"1.5", "given values that are no numbers"),
        ("float32", ["1.5"], "given text [1]"),
        ("float32", [None], "given values that are no numbers"),
        ("float32", [{}], "given values that are no numbers"),
        ("float32", {"a": 1}, "given values that are no numbers"),
        ("float32", object(), "given values that are no numbers"),
        ("float32", [[1], [1, 2]], "given lists of different lengths"),
        ("float32", np.array([1, None]), "given values that are no numbers"),
        ("float32", np.array(["2020-01-01"], "datetime64[D]"), "given an array of datetime64[D] [1]"),
        ("string", [1], "expected string [-1], given a value of type int"),
        ("string", None, "given a value of type NoneType"),
        ("string", [["a"], ["b", "c"]], "given lists of different lengths"),
        ("string", ["\ud800"], "given text that has no UTF-8 form"),
    ],
)
def test_values_of_another_type_are_refused(kind: str, given: Any, text: str) -> None:
    with pytest.raises(InvalidModelInput) as raised:
        plan(kind).array(given)
    assert str(raised.value).startswith("key 'x' for model m of version 1: expected ")
    assert text in str(raised.value)


@pytest.mark.parametrize(("shape", "made"), [((None,), (1,)), ((3,), (1,)), ((), ()), ((None, None), ()), (None, ())])
@pytest.mark.parametrize(
    ("kind", "given"), [("float32", 1), ("float32", np.float64(1)), ("string", "a"), ("bool", True)]
)
def test_a_scalar_becomes_a_list_where_a_list_is_declared(
    shape: tuple[int | None, ...] | None, made: tuple[int, ...], kind: str, given: Any
) -> None:
    assert plan(kind, shape).array(given).shape == made


def test_what_numpy_can_read_is_an_array() -> None:
    class Tensor:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array([1, 2], dtype)

    assert plan("float32").array(Tensor()).tolist() == [1.0, 2.0]
