"""The client of each type of predictor, and the holder behind it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from cortex_worker import wire
from cortex_worker.models.ensure import Ensures
from cortex_worker.models.holder import ModelHolder
from cortex_worker.models.python import PythonClient, PythonLoader

if TYPE_CHECKING:
    from cortex_worker.models.catalog import ModelSettings
    from cortex_worker.models.client import ModelClient
    from cortex_worker.models.loading import ModelLoader
    from cortex_worker.records import Records


@dataclass(frozen=True)
class Models:
    """Everything of an API's models in this process."""

    holder: ModelHolder
    ensures: Ensures
    client: ModelClient
    loader: ModelLoader

    def bind(self, load_model: Callable[[str], Any]) -> None:
        """Load models by this method of the predictor's, where its type asks for one."""
        if isinstance(self.loader, PythonLoader):
            self.loader.load_model = load_model

    def after_fork(self) -> None:
        """In a forked child: models in memory can be used; no others come."""
        self.ensures.after_fork()
        self.holder.after_fork()


def build(api: str, predictor_type: str, settings: ModelSettings, records: Records) -> Models:
    """The client for a predictor of this type. Nothing is loaded yet."""
    ensures = Ensures(records)
    loader, client_class = _kind(api, predictor_type)

    def report(event: dict[str, Any]) -> None:
        missing = event.pop("missing", None)
        if missing is not None:
            records.tell_missing(missing, "models")
        records.tell(wire.MODEL, event)

    holder = ModelHolder(settings, loader, ensures, report, records.log)
    return Models(holder, ensures, client_class(holder), loader)


def _kind(api: str, predictor_type: str) -> tuple[ModelLoader, type[ModelClient]]:
    # Each imports what it needs only where it is used: numpy alone takes longer than the worker's own start.
    if predictor_type == "onnx":
        from cortex_worker.models.onnx import ONNXClient, ONNXLoader

        return ONNXLoader(), ONNXClient
    if predictor_type == "tensorflow":
        from cortex_worker.models.tensorflow_client import TensorFlowClient, tensorflow_loader

        return tensorflow_loader(os.environ, api), TensorFlowClient
    return PythonLoader(), PythonClient
