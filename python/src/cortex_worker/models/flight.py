"""One load that is under way, and those who wait for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cortex_worker.errors import ModelError
    from cortex_worker.models.entry import Entry

Key = tuple[str, int, str]


class Flight:
    """A load of one generation of one version. All but `done` is guarded by the holder's lock."""

    __slots__ = (
        "as_latest",
        "by_number",
        "counted",
        "done",
        "entry",
        "error",
        "is_begun",
        "key",
        "signature_key",
        "thread",
        "waiting",
    )

    def __init__(self, key: Key, signature_key: str | None) -> None:
        self.key = key
        self.signature_key = signature_key
        self.thread = threading.get_ident()
        #: Whether some thread has taken on to load it.
        self.is_begun = False
        self.done = threading.Event()
        #: How many requests wait. Each gets a pin with the entry, so that it cannot be evicted before they have it.
        self.waiting = 0
        #: Whether it is to serve as the latest, where nothing does yet.
        self.as_latest = False
        #: Whether somebody asked for it by its number.
        self.by_number = False
        self.entry: Entry | None = None
        self.error: ModelError | None = None
        #: Whether it takes a place of its own in the cache from now on.
        self.counted = False
