"""What a model takes and returns, and which of its signatures is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cortex_worker.models.tensorflow_errors import SignatureError
from cortex_worker.models.tensorflow_types import ELEMENT_TYPES, ElementType, unusable_type

if TYPE_CHECKING:
    from collections.abc import Mapping

#: TensorFlow 2 lists what runs before the first call beside the signatures.
_INTERNAL_KEY = "__saved_model_init_op"


@dataclass(frozen=True)
class TensorSpec:
    """One input or output."""

    type: ElementType
    #: None in it is any size; None for it is any rank.
    shape: tuple[int | None, ...] | None

    def __str__(self) -> str:
        return f"{self.type.name} {shape_text(self.shape)}"

    def admits(self, shape: tuple[int, ...]) -> bool:
        """Whether a tensor of this shape can be given."""
        if self.shape is None:
            return True
        return len(shape) == len(self.shape) and all(
            size is None or size == given for size, given in zip(self.shape, shape)
        )


@dataclass(frozen=True)
class Signature:
    """The signature of a model that is served."""

    key: str
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]


def shape_text(shape: tuple[int | None, ...] | None) -> str:
    """A shape as TensorFlow's tools write it: -1 is any size."""
    if shape is None:
        return "of any shape"
    return str([-1 if size is None else size for size in shape])


def described(specs: Mapping[str, TensorSpec]) -> dict[str, dict[str, Any]]:
    """Inputs or outputs as the server shows them."""
    return {
        name: {"shape": ["unknown"] if spec.shape is None else list(spec.shape), "type": spec.type.name}
        for name, spec in specs.items()
    }


def served_signature(definitions: Mapping[str, Any], wanted: str | None) -> Signature:
    """The signature that is asked for, or the only one, or "predict".

    `definitions` are `SignatureDef` messages. Raises `SignatureError`.
    """
    keys = sorted(key for key in definitions if key != _INTERNAL_KEY)
    if not keys:
        raise SignatureError("the SavedModel has no signatures; export it with at least one")
    key = wanted if wanted is not None else _unnamed(definitions, keys)
    if key not in keys:
        raise SignatureError(f"signature_key {key!r} was not found in the model; available: {_listed(keys)}")
    definition = definitions[key]
    if not definition.inputs:
        raise SignatureError(f"the signature {key!r} of the model has no inputs")
    return Signature(key, _specs(key, "input", definition.inputs), _specs(key, "output", definition.outputs))


def _unnamed(definitions: Mapping[str, Any], keys: list[str]) -> str:
    if len(keys) == 1:
        return keys[0]
    if "predict" in keys:
        return "predict"
    # Keras exports one function as "serve" and as "serving_default": there is nothing to choose.
    if "serving_default" in keys and all(_alike(definitions[key], definitions["serving_default"]) for key in keys):
        return "serving_default"
    raise SignatureError(
        f"the model has several signatures and none of them is called 'predict'; "
        f"signature_key must be specified, one of {_listed(keys)}"
    )


def _alike(one: Any, other: Any) -> bool:
    return _outline(one.inputs) == _outline(other.inputs) and _outline(one.outputs) == _outline(other.outputs)


def _outline(tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {name: (info.dtype, _shape(info.tensor_shape)) for name, info in tensors.items()}


def _specs(key: str, kind: str, tensors: Mapping[str, Any]) -> dict[str, TensorSpec]:
    specs = {}
    for name in sorted(tensors):
        info = tensors[name]
        if info.dtype not in ELEMENT_TYPES:
            found = unusable_type(info.dtype)
            raise SignatureError(f"{kind} {name!r} of the signature {key!r} is of type {found}, which cannot be served")
        if not info.name:
            # Sparse and ragged tensors have several names, elsewhere.
            raise SignatureError(f"{kind} {name!r} of the signature {key!r} is no dense tensor, and cannot be served")
        specs[name] = TensorSpec(ELEMENT_TYPES[info.dtype], _shape(info.tensor_shape))
    return specs


def _shape(shape: Any) -> tuple[int | None, ...] | None:
    if shape.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in shape.dim)


def _listed(keys: list[str]) -> str:
    return ", ".join(repr(key) for key in keys)
