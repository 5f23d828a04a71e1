"""`python_client`: models that the predictor's own `load_model` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from cortex_worker.errors import ModelLoadFailed
from cortex_worker.models.client import ModelClient
from cortex_worker.models.loading import LoadedModel
from cortex_worker.models.naming import title

if TYPE_CHECKING:
    from cortex_worker.models.holder import ModelHolder


class PythonLoader:
    """Calls the `load_model` of the predictor, once it is bound to one."""

    def __init__(self) -> None:
        #: The predictor's method. Set before its constructor runs, which may get models already.
        self.load_model: Callable[[str], Any] | None = None

    def prepare(self) -> None:
        pass

    def load(self, name: str, version: str, path: str, signature_key: str | None) -> LoadedModel:
        if self.load_model is None:
            raise ModelLoadFailed("models cannot be loaded before the predictor's constructor is called")
        model = self.load_model(path)
        if model is None:
            raise ModelLoadFailed(
                f"{title(name, int(version))} could not be loaded: load_model returned None; it must return the model"
            )
        return LoadedModel(model)


class PythonClient(ModelClient):
    """What a predictor gets as `python_client`."""

    def __init__(self, holder: ModelHolder) -> None:
        super().__init__(holder)
        get = holder.get

        def get_model(model_name: str | None = None, model_version: str | int | None = "latest") -> Any:
            """What `load_model` returned for this version. None and "latest" are the latest version."""
            return get(model_name, model_version).loaded.model

        # A closure: this is called once or more per request, and a method of the class costs two lookups more.
        self.get_model = get_model
