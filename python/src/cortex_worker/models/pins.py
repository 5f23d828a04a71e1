"""Which models a request has got: they stay until it ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cortex_worker.models.entry import Entry


class Pins:
    """The models that the request of one slot has got. One per slot, used by its thread only."""

    __slots__ = ("entries", "got")

    def __init__(self) -> None:
        #: What was asked for, as it was asked: a request that asks again gets the same, whatever happens meanwhile.
        self.got: dict[tuple[Any, Any], Entry] = {}
        #: Each entry once: it is pinned once, however often it was got.
        self.entries: list[Entry] = []

    def take(self, entry: Entry, name: Any, version: Any) -> bool:
        """Note what was asked for, and got. Returns whether the entry is new here, and so is to be pinned."""
        self.got[name, version] = entry
        if entry in self.entries:
            return False
        self.entries.append(entry)
        return True

    def version(self) -> str | None:
        """The version of the one model that the request has got; None for none, or for several."""
        if not self.entries:
            return None
        first = self.entries[0]
        for entry in self.entries[1:]:
            if entry.name != first.name or entry.number != first.number:
                return None
        return first.version


class CurrentPins(threading.local):
    """The pins of the request that this thread works on. Threads of the user's own have none."""

    pins: Pins | None = None
