"""What the server says is there: models, their versions, and how many of them may be in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Version:
    """One version of a model, as it is now. The same generation is the same bytes."""

    generation: str
    modified: int
    size: int
    #: Why it is not to be loaded: it has ended processes.
    error: str | None = None
    #: Whether some worker has loaded it before.
    proven: bool = False


@dataclass(frozen=True)
class CatalogModel:
    """The versions of one model, by number."""

    signature_key: str | None
    versions: dict[int, Version]

    @classmethod
    def parse(cls, message: dict[str, Any]) -> CatalogModel:
        """From the JSON of a `WELCOME` or a `MODELS`."""
        versions = {
            int(number): Version(
                each["generation"], each["modified"], each["size"], each.get("error"), each.get("proven", False)
            )
            for number, each in message["versions"].items()
        }
        return cls(message["signature_key"], versions)

    @property
    def newest_proven(self) -> int | None:
        """The highest version that some worker has loaded before."""
        proven = (number for number, each in self.versions.items() if each.proven and each.error is None)
        return max(proven, default=None)

    @property
    def summary(self) -> dict[str, Any]:
        """Versions and times of change, as the summary of the API has them."""
        numbers = sorted(self.versions)
        return {
            "versions": [str(number) for number in numbers],
            "timestamps": [self.versions[number].modified for number in numbers],
        }


@dataclass(frozen=True)
class ModelSettings:
    """How an API's models are served."""

    #: One `model_path`: whatever name a predictor gives is ignored.
    single: bool
    #: `models.dir`: models come and go, and none is loaded before it is asked for.
    dynamic: bool
    #: A model that cannot be loaded fails the start: this version of the API was never live.
    strict: bool
    cache_size: int | None
    cache_memory: int | None
    catalog: dict[str, CatalogModel]

    @property
    def caching(self) -> bool:
        """Whether models are loaded when asked for, and unloaded to make room for others."""
        return self.cache_size is not None or self.cache_memory is not None

    @property
    def eager(self) -> bool:
        """Whether the latest version of each model is in memory before the first request."""
        return not (self.dynamic or self.caching)

    @classmethod
    def parse(cls, message: dict[str, Any]) -> ModelSettings:
        """From the `models` of a `WELCOME`."""
        catalog = {name: CatalogModel.parse(each) for name, each in message["catalog"].items()}
        return cls(
            message["single"],
            message["dynamic"],
            message["strict"],
            message["cache_size"],
            message["cache_memory"],
            catalog,
        )
