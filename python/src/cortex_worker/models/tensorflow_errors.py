"""What can go wrong between a predictor's values and a TensorFlow model, one class per fact."""

from __future__ import annotations

from cortex_worker.errors import InferenceFailed
from cortex_worker.models.naming import SINGLE_MODEL


class InvalidModelInput(InferenceFailed, ValueError):
    """What was given to `predict` does not fit the model's signature."""


class SignatureError(ValueError):
    """The model has no signature that could be served."""


def titled(name: str, version: str) -> str:
    """A version of a model, as a message names it. The only model of an API has no name that a user knows."""
    return f"version {version} of the model" if name == SINGLE_MODEL else f"model {name} of version {version}"
