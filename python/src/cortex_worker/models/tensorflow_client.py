"""What a `TensorFlowPredictor` gets: models, wherever they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cortex_worker.models.client import ModelClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cortex_worker.models.loading import ModelLoader
    from cortex_worker.models.tensorflow_model import TensorFlowModel

#: Names a TensorFlow Serving server, as `host:port`. Without it, models are loaded into the worker.
ADDRESS_VARIABLE = "TENSORFLOW_SERVING_ADDRESS"


class TensorFlowClient(ModelClient):
    """Makes predictions with SavedModels. Made once per process; used by any thread."""

    def predict(
        self, model_input: Any, model_name: str | None = None, model_version: str | int | None = "latest"
    ) -> dict[str, list[Any]]:
        """The model's outputs by name, each a flat list in row-major order.

        `model_input` has a value per input of the signature: numbers, text, nested lists of them, or arrays.
        """
        model = cast("TensorFlowModel", self._get(model_name, model_version).loaded)
        return model.predict(model_input)


def tensorflow_loader(environ: Mapping[str, str], api_name: str) -> ModelLoader:
    """The loader of the backend that the environment asks for.

    It sets what TensorFlow reads as it is imported, so it belongs before the import of the predictor's module.
    `ValueError` if the environment says what cannot be.
    """
    address = environ.get(ADDRESS_VARIABLE, "").strip()
    if address:
        from cortex_worker.models.serving_loader import ServingLoader

        return ServingLoader(address, environ, api_name)
    from cortex_worker.models.tensorflow_embedded import EmbeddedLoader

    return EmbeddedLoader(environ)
