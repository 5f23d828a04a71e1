"""What a kind of model has to offer: a way to load one version, and what is there once it is loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Callable, Protocol

from cortex_worker.errors import ModelError, ModelLoadFailed
from cortex_worker.failure import describe, user_traceback
from cortex_worker.missing import missing_module
from cortex_worker.models.allocation import own_mappings
from cortex_worker.models.memory import resident_bytes
from cortex_worker.models.naming import title

if TYPE_CHECKING:
    from cortex_worker.models.flight import Flight

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

    @property
    def watched(self) -> Any:
        """What is gone once the model is: if something still refers to it after an unloading, memory is collected."""
        return self.model

    def close(self) -> None:
        """Let go of what is not given back with the last reference. No request has the model any more."""


class ModelLoader(Protocol):
    """Loads versions of models of one kind. Calls come from any thread, several at once for different models."""

    def prepare(self) -> None:
        """Import what loading needs, before the first load. Raises `ModelLoadFailed` where something is missing."""

    def load(self, name: str, version: str, path: str, signature_key: str | None) -> LoadedModel:
        """Load the version whose files are in the folder `path`. Whatever it raises is a failed load."""


def call_loader(
    loader: ModelLoader, flight: Flight, path: str, report: Callable[[dict[str, Any]], None]
) -> LoadedModel:
    """Load what the flight is for from its folder, and report how it went.

    Raises a `ModelError`, or `MemoryError`: the process is better replaced.
    """
    name, number, generation = flight.key
    event: dict[str, Any] = {"model": name, "version": str(number), "generation": generation}
    before, started = resident_bytes(), perf_counter()
    try:
        with own_mappings:
            loaded = loader.load(name, str(number), path, flight.signature_key)
    except BaseException as error:  # The boundary to the user's and the library's code.
        failed = _load_failed(error, name, number, path)
        event.update(event="failed", error=str(failed), traceback=failed.details or "")
        missing = missing_module(error)
        if missing is not None:
            event["missing"] = missing
        report({**event, "seconds": perf_counter() - started})
        if isinstance(error, MemoryError):
            raise
        raise failed from None
    event.update(event="loaded", seconds=perf_counter() - started, bytes=max(0, resident_bytes() - before))
    for part in ("inputs", "outputs", "signature_key"):
        if getattr(loaded, part) is not None:
            event[part] = getattr(loaded, part)
    report(event)
    return loaded


def _load_failed(error: BaseException, name: str, number: int, path: str) -> ModelError:
    # What says more than that the load failed, such as a server that is down, is told as it is.
    if isinstance(error, ModelError):
        return error
    public = f"{title(name, number)} could not be loaded"
    text = describe(error)
    for folder in {path, os.path.realpath(path)}:
        text = text.replace(folder, "<model>")
    return ModelLoadFailed(f"{public}: {text}", public, user_traceback(error))
