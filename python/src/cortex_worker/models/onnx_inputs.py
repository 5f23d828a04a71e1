"""What a predictor gives, as the arrays that an ONNX model takes."""

from __future__ import annotations

from typing import Any

import numpy as np

_TYPES: dict[str, Any] = {
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


def type_name(onnx_type: str) -> str:
    """The numpy name of a tensor's type (`object` for strings); other types keep their ONNX name."""
    known = _TYPES.get(onnx_type)
    return onnx_type if known is None else np.dtype(known).name


class InputPlan:
    """How the values of one input are converted: worked out once per model."""

    __slots__ = ("_dtype", "_is_numeric", "_onnx_type", "_target", "name", "shape")

    def __init__(self, node: Any) -> None:
        self.name: str = node.name
        #: Sizes; text or None where any size will do.
        self.shape: list[int | str | None] = list(node.shape)
        self._onnx_type: str = node.type
        known = _TYPES.get(node.type)
        self._dtype: np.dtype[Any] | None = None if known is None else np.dtype(known)
        self._is_numeric = known is not None and np.issubdtype(known, np.number)
        free = sum(not isinstance(size, int) for size in self.shape)
        # With two free sizes or more, a flat list could mean anything: then the value's own shape counts.
        self._target = tuple(size if isinstance(size, int) else -1 for size in self.shape) if free <= 1 else None

    def convert(self, value: Any) -> Any:
        """`value` as an array of the input's type and shape. Raises `ValueError` with what was expected and given."""
        if self._dtype is None:
            raise ValueError(
                f'input "{self.name}" is of the type {self._onnx_type}, which cannot be made of Python values; '
                'run the session of get_model()["session"] yourself'
            )
        try:
            if value is None:
                # numpy would take it for NaN.
                raise ValueError("there is no value")
            array = self._cast(value) if isinstance(value, np.ndarray) else np.array(value, self._dtype)
            if self._target is not None and array.shape != self._target:
                array = array.reshape(self._target)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(
                f'input "{self.name}": expected {self._dtype.name} of shape {self._shown_shape()}, '
                f"given {_describe(value)}: {error}"
            ) from None
        return array

    def _cast(self, value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        assert self._dtype is not None
        if value.dtype == self._dtype:
            return value
        if np.issubdtype(value.dtype, np.number) != self._is_numeric:
            raise ValueError(f"expected dtype {self._dtype.name} but found {value.dtype.name}")
        return value.astype(self._dtype)

    def _shown_shape(self) -> str:
        return "[" + ", ".join("?" if size is None else str(size) for size in self.shape) + "]"


def _describe(value: Any) -> str:
    kind = type(value).__name__
    if not isinstance(value, np.ndarray):
        if not isinstance(value, (list, tuple)):
            return kind
        try:
            value = np.array(value)
        except (ValueError, TypeError, OverflowError):
            return f"a {kind} of uneven lengths"
    name = "str" if value.dtype.kind == "U" else value.dtype.name
    return f"{name} of shape {list(value.shape)}" + ("" if kind == "ndarray" else f" ({kind})")
