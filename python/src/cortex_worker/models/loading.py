"""What a kind of model has to offer: a way to load one version, and what is there once it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

#: Inputs or outputs by name: `{"shape": [1, "batch", None], "type": "float32"}`. None in a shape is any size.
Signature = dict[str, dict[str, Any]]


@dataclass(eq=False)
class LoadedModel:
    """One version of a model in memory. A kind of model may derive from it, to keep what its client needs."""

    #: What `get_model` returns, or what the client works with.
    model: Any
    inputs: Signature | None = None
    outputs: Signature | None = None
    signature_key: str | None = None

    def close(self) -> None:
        """Let go of what is not given back with the last reference. No request has the model any more."""


class ModelLoader(Protocol):
    """Loads versions of models of one kind. Calls come from any thread, several at once for different models."""

    def prepare(self) -> None:
        """Import what loading needs, before the first load. Raises `ModelLoadFailed` where something is missing."""

    def load(self, name: str, version: str, path: str, signature_key: str | None) -> LoadedModel:
        """Load the version whose files are in the folder `path`. Whatever it raises is a failed load."""
