"""A loaded version of a model, and how long it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cortex_worker.models.loading import LoadedModel


class Entry:
    """One generation of one version of one model, in memory. What changes of it is guarded by the holder's lock."""

    __slots__ = ("by_number", "generation", "held", "loaded", "name", "number", "pins", "reason", "used", "version")

    def __init__(self, name: str, number: int, generation: str, loaded: LoadedModel) -> None:
        self.name = name
        self.number = number
        #: The number as text: a folder's name, and what the header of an answer says.
        self.version = str(number)
        self.generation = generation
        self.loaded = loaded
        #: How many requests have got it.
        self.pins = 0
        #: When it was last asked for, on the holder's own count.
        self.used = 0
        #: Whether it was ever asked for by its number, and not only as the latest.
        self.by_number = False
        #: Whether the holder still gives it to new requests; if not, it goes with its last pin.
        self.held = False
        #: Why it is not held any more.
        self.reason = ""

    @property
    def key(self) -> tuple[str, int, str]:
        """What it is a copy of in memory."""
        return self.name, self.number, self.generation

    @property
    def identity(self) -> dict[str, str]:
        """The same, as the server is told."""
        return {"model": self.name, "version": self.version, "generation": self.generation}

    def __repr__(self) -> str:
        return f"Entry({self.name!r}, version {self.version}, generation {self.generation[:8]})"
