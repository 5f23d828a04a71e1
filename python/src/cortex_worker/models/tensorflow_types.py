"""The types of elements that TensorFlow and the values of a predictor have in common."""

from __future__ import annotations

from typing import NamedTuple


class ElementType(NamedTuple):
    """One type of a tensor's elements."""

    #: As TensorFlow's Python package calls it.
    name: str
    #: In `types.proto`.
    number: int
    #: numpy's type for it. A `bfloat16`, which numpy lacks, is a `float32` until it meets the model.
    host: str
    #: The field of a `TensorProto` that holds one value per element.
    field: str


#: All types that can be given or returned. Quantized types, resources and variants cannot.
ELEMENT_TYPES = {
    kind.number: kind
    for kind in (
        ElementType("float32", 1, "float32", "float_val"),
        ElementType("float64", 2, "float64", "double_val"),
        ElementType("int32", 3, "int32", "int_val"),
        ElementType("uint8", 4, "uint8", "int_val"),
        ElementType("int16", 5, "int16", "int_val"),
        ElementType("int8", 6, "int8", "int_val"),
        ElementType("string", 7, "object", "string_val"),
        ElementType("complex64", 8, "complex64", "scomplex_val"),
        ElementType("int64", 9, "int64", "int64_val"),
        ElementType("bool", 10, "bool", "bool_val"),
        ElementType("bfloat16", 14, "float32", "half_val"),
        ElementType("uint16", 17, "uint16", "int_val"),
        ElementType("complex128", 18, "complex128", "dcomplex_val"),
        ElementType("float16", 19, "float16", "half_val"),
        ElementType("uint32", 22, "uint32", "uint32_val"),
        ElementType("uint64", 23, "uint64", "uint64_val"),
    )
}

_UNUSABLE = {11: "qint8", 12: "quint8", 13: "qint32", 15: "qint16", 16: "quint16", 20: "resource", 21: "variant"}


def unusable_type(number: int) -> str:
    """What to call a type that is not in `ELEMENT_TYPES`."""
    return _UNUSABLE.get(number, f"type number {number}")


def text_or_bytes(value: bytes) -> str | bytes:
    """Text where the bytes are UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
