"""Tensors as TensorFlow Serving's messages have them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from cortex_worker.models.tensorflow_types import ELEMENT_TYPES, ElementType, text_or_bytes, unusable_type

if TYPE_CHECKING:
    from cortex_worker.models.tensorflow_signature import TensorSpec


def encode(into: Any, array: Any, kind: ElementType) -> None:
    """Fill the `TensorProto` `into` with the array, whose type is the host's for `kind`."""
    into.dtype = kind.number
    dim = into.tensor_shape.dim
    for size in array.shape:
        dim.add(size=size)
    if kind.name == "string":
        into.string_val.extend(array.ravel().tolist())
        return
    if kind.name == "bfloat16":
        array = _brain_bits(array)
    # The wire is little-endian.
    into.tensor_content = (array.byteswap() if sys.byteorder == "big" else array).tobytes()


def flat_list(tensor: Any) -> list[Any]:
    """The elements of a `TensorProto`, in row-major order. `ValueError` if it is of a type that has no values here."""
    kind = ELEMENT_TYPES.get(tensor.dtype)
    if kind is None:
        raise ValueError(f"a tensor of type {unusable_type(tensor.dtype)}")
    size = 1
    for dim in tensor.tensor_shape.dim:
        size *= dim.size
    if size == 0:
        return []
    if tensor.tensor_content:
        return _from_content(tensor.tensor_content, kind, size)
    values = list(getattr(tensor, kind.field))
    if kind.field in ("scomplex_val", "dcomplex_val"):
        values = [complex(real, imaginary) for real, imaginary in zip(values[::2], values[1::2])]
    if len(values) < size:
        # Equal values at the end are sent once, and zeros not at all.
        values += [values[-1] if values else _zero(kind)] * (size - len(values))
    if kind.name == "string":
        return [text_or_bytes(value) for value in values]
    if kind.field == "half_val":
        return _from_bits(np.array(values, dtype="uint16"), kind)
    return values


def _from_content(content: bytes, kind: ElementType, size: int) -> list[Any]:
    if kind.name == "string":
        raise ValueError("a tensor of text without text")
    if kind.field == "half_val":
        return _from_bits(np.frombuffer(content, dtype="<u2", count=size), kind)
    values: list[Any] = np.frombuffer(content, dtype=np.dtype(kind.host).newbyteorder("<"), count=size).tolist()
    return values


def _zero(kind: ElementType) -> Any:
    if kind.name == "string":
        return b""
    return 0 if kind.field == "half_val" else np.zeros((), dtype=kind.host).item()


def _from_bits(bits: Any, kind: ElementType) -> list[Any]:
    if kind.name == "float16":
        values: list[Any] = bits.astype("uint16").view("float16").tolist()
    else:
        # A brain float is the upper half of a float.
        values = (bits.astype("uint32") << 16).view("float32").tolist()
    return values


def _brain_bits(array: Any) -> Any:
    bits = np.ascontiguousarray(array).view("uint32").reshape(array.shape).astype("uint64")
    # To the nearest, ties to even; a NaN stays one.
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(array), 0x7FC0, rounded).astype("uint16")


def encode_all(inputs: Any, specs: dict[str, TensorSpec], arrays: dict[str, Any]) -> None:
    """Fill the map of a request."""
    for name, array in arrays.items():
        encode(inputs[name], array, specs[name].type)
