"""From what a predictor gives to arrays that a model takes, by the rules of TensorFlow's own `make_tensor_proto`.

Python's numbers go where nothing of them is lost: integers to any number type that holds them, floats to float types
only. Arrays are cast, as numpy does it, unless a value would not fit. Text goes to text only, and nothing else does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cortex_worker.models.tensorflow_errors import InvalidModelInput
from cortex_worker.models.tensorflow_signature import shape_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cortex_worker.models.tensorflow_signature import Signature, TensorSpec

#: Kinds of numpy types whose values a type of this kind holds, beside its own.
_HELD = {"b": "b", "i": "biu", "u": "biu", "f": "biuf", "c": "biufc"}
_PLAIN = (list, tuple, float, int, str, bytes, type(None))
_WORDS = {"b": "booleans", "i": "integers", "u": "integers", "f": "floats", "c": "complex numbers", "U": "text"}


class InputPlan:
    """How an input of a signature is made from a value."""

    __slots__ = ("_held", "_is_text", "_kind", "_lifts", "_target", "_title", "name", "spec")

    def __init__(self, name: str, spec: TensorSpec, title: str) -> None:
        self.name = name
        self.spec = spec
        self._title = title
        self._target = np.dtype(spec.type.host)
        self._kind = self._target.kind
        self._is_text = self._kind == "O"
        self._held = _HELD.get(self._kind, "")
        # A scalar for a list of values is a list of one: TensorFlow Serving took it so, and models are used so.
        self._lifts = spec.shape is not None and len(spec.shape) == 1

    def array(self, value: Any) -> Any:
        """The array of the model's type. Raises `InvalidModelInput`."""
        array = self._text(value) if self._is_text else self._numbers(value)
        return array.reshape(1) if self._lifts and array.ndim == 0 else array

    def _numbers(self, value: Any) -> Any:
        return self._plain(value) if isinstance(value, _PLAIN) else self._cast(value)

    def _plain(self, value: Any) -> Any:
        try:
            array = np.asarray(value)
        except ValueError:
            raise self._refusal("lists of different lengths") from None
        if array.dtype.kind not in self._held and array.size:
            return self._integers(array, value)
        return self._converted(array)

    def _integers(self, array: Any, value: Any) -> Any:
        """What numpy alone would make no integers of: those beyond 63 bits."""
        items = np.asarray(value, dtype=object)
        if self._kind not in "b" and all(isinstance(item, int) for item in items.flat):
            try:
                return items.astype(self._target)
            except OverflowError:
                raise self._refusal(f"a value out of the range of {self._target}") from None
        raise self._refusal(_words(array, value))

    def _cast(self, value: Any) -> Any:
        array = np.asarray(value)
        if array.dtype.kind == "O":
            return self._plain(array.tolist())
        if array.dtype.name == "bfloat16":
            array = array.astype(np.float32)
        if array.dtype.kind not in "biufc" or (array.dtype.kind == "c" and self._kind != "c"):
            raise self._refusal(f"an array of {array.dtype} {shape_text(array.shape)}")
        return self._converted(array)

    def _converted(self, array: Any) -> Any:
        if array.dtype == self._target:
            return array
        if self._kind in "iu" and array.size and not np.can_cast(array.dtype, self._target):
            limits = np.iinfo(self._target)
            # Python's own comparisons are exact. A NaN is not within the limits either.
            if not (limits.min - 1 < array.min().item() and array.max().item() < limits.max + 1):
                raise self._refusal(f"a value out of the range of {self._target}")
        # What is too large for a small float is infinite.
        with np.errstate(over="ignore"):
            return array.astype(self._target)

    def _text(self, value: Any) -> Any:
        if isinstance(value, (str, bytes)):
            array = np.empty((), dtype=object)
            array[()] = value
        elif isinstance(value, (list, tuple)):
            array = np.asarray(value, dtype=object)
        else:
            array = np.asarray(value).astype(object)
        encoded = np.empty(array.shape, dtype=object)
        into, given = encoded.reshape(-1), array.reshape(-1)
        for index in range(array.size):
            item = given[index]
            if isinstance(item, str):
                try:
                    into[index] = item.encode()
                except UnicodeEncodeError:
                    raise self._refusal("text that has no UTF-8 form") from None
            elif isinstance(item, bytes):
                into[index] = bytes(item)
            elif isinstance(item, (list, tuple)):
                raise self._refusal("lists of different lengths")
            else:
                raise self._refusal(f"a value of type {type(item).__name__}")
        return encoded

    def _refusal(self, given: str) -> InvalidModelInput:
        return InvalidModelInput(f"key {self.name!r} for {self._title}: expected {self.spec}, given {given}")


def arrays_of(plans: list[InputPlan], model_input: Any, title: str) -> dict[str, Any]:
    """The arrays of all inputs. Keys that the signature does not have are left aside. Raises `InvalidModelInput`."""
    if not isinstance(model_input, dict) and not hasattr(model_input, "keys"):
        given = type(model_input).__name__
        raise InvalidModelInput(
            f"missing key {plans[0].name!r} for {title}: expected a dictionary with "
            f"{', '.join(repr(plan.name) for plan in plans)}, given a value of type {given}"
        )
    arrays = {}
    for plan in plans:
        name = plan.name
        if name not in model_input:
            raise InvalidModelInput(f"missing key {name!r} for {title}")
        arrays[name] = plan.array(model_input[name])
    return arrays


def mismatch(signature: Signature, arrays: Mapping[str, Any], title: str) -> str | None:
    """What does not fit of the arrays that a model refused, if that can be seen."""
    for name, spec in signature.inputs.items():
        shape = arrays[name].shape
        if not spec.admits(shape):
            return f"key {name!r} for {title}: expected {spec}, given {spec.type.name} {shape_text(shape)}"
    return None


def _words(array: Any, value: Any) -> str:
    if value is None:
        return "None"
    kind = _WORDS.get(array.dtype.kind)
    if kind is None:
        return "values that are no numbers"
    return f"{kind} {shape_text(array.shape)}"
