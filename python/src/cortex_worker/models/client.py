"""What the clients of all kinds of models have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cortex_worker.models.entry import Entry
    from cortex_worker.models.holder import ModelHolder


class ModelClient:
    """Gets models from the holder. Made once per process; used by any thread."""

    def __init__(self, holder: ModelHolder) -> None:
        self._holder = holder
        #: `_get(name, version)`: the entry that serves this choice, loaded if need be. It checks both arguments and
        #: raises `ModelNotFound`, `InvalidVersion`, `ModelUnavailable` or `ModelLoadFailed`.
        self._get = holder.get

    @property
    def metadata(self) -> dict[str, Any]:
        """The models and their versions: what is on disk, or with a cache all that there is."""
        return self._holder.metadata()

    @property
    def caching(self) -> bool:
        """Whether models are loaded when asked for, and unloaded to make room for others."""
        return self._holder.caching

    def _entry(self, model_name: str | None, model_version: str | int | None) -> Entry:
        """The entry for a predictor's choice. None and "latest" are the latest; a number may be given as such."""
        return self._get(model_name, model_version)
