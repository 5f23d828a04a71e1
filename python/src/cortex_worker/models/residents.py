"""The models in memory: which may be given out, which are still in use, which are leaving, and who goes first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable

from cortex_worker.failure import user_traceback
from cortex_worker.models.memory import Reaper, resident_bytes
from cortex_worker.models.naming import title

if TYPE_CHECKING:
    from cortex_worker.models.catalog import ModelSettings
    from cortex_worker.models.entry import Entry
    from cortex_worker.models.flight import Flight, Key

#: What is told to the server of a load's end or an unloading.
Report = Callable[[dict[str, Any]], None]


class Residents:
    """All entries of a holder, under the holder's lock, and the way out of memory.

    An entry is *held* while new requests may get it. Then it *lingers* while some request has it, and *leaves*: it is
    unloaded without the lock, and only then reported, which ends the lease of its files.
    """

    def __init__(
        self,
        settings: ModelSettings,
        lock: threading.Lock,
        evict: Callable[[Entry], None],
        report: Report,
        log: Callable[[str, str], None],
    ) -> None:
        self._settings = settings
        self._lock = lock
        self._evict = evict
        self._report = report
        self._log = log
        self._held: set[Entry] = set()
        self._lingering: dict[Key, Entry] = {}
        self._leaving: dict[Key, threading.Event] = {}
        #: Loads that will take a place of their own.
        self._arriving = 0
        self._reaper = Reaper(self.unload)
        self._baseline = resident_bytes()

    # With the lock.

    def hold(self, entry: Entry) -> None:
        """Give the entry to new requests from now on."""
        entry.held = True
        self._held.add(entry)

    def let_go(self, dropped: list[Entry]) -> list[Entry]:
        """Give these to no new request. Returns those that no request has: they are to be unloaded.

        `dropped` is emptied: what a list of some waiting thread still has, no collection can free.
        """
        leaving: list[Entry] = []
        while dropped:
            entry = dropped.pop()
            entry.held = False
            self._held.discard(entry)
            if entry.pins:
                self._lingering[entry.key] = entry
            else:
                self._leave(entry, leaving)
        return leaving

    def depart(self, entry: Entry, leaving: list[Entry]) -> None:
        """The last request that had the lingering entry is over: it is to be unloaded."""
        del self._lingering[entry.key]
        self._leave(entry, leaving)

    def is_full(self) -> bool:
        """Whether more is in memory, or coming, than `cache_size` allows."""
        limit = self._settings.cache_size
        return limit is not None and len(self._held) + self._arriving > limit

    def revive(self, key: Key) -> Entry | None:
        """What some request still has of this: it need not be loaded again."""
        return self._lingering.pop(key, None)

    def arrived(self, flight: Flight) -> None:
        """A load has ended, with an entry that is held or without one."""
        if flight.counted:
            self._arriving -= 1

    def trim(self) -> list[Entry]:
        """Evict down to `cache_size`, least recently used first, what requests have apart."""
        evicted: list[Entry] = []
        while self.is_full() and self._evict_one(evicted):
            pass
        return evicted

    def is_leaving(self, key: Key) -> threading.Event | None:
        """What is set once this is unloaded: a load before that would lose its lease with the old one's."""
        return self._leaving.get(key)

    def set_baseline(self) -> None:
        """`cache_memory` counts from here, unless models are in memory already."""
        if not self._held:
            self._baseline = resident_bytes()

    def after_fork(self, lock: threading.Lock) -> None:
        """In a forked child: whoever was loading or unloading is not here."""
        self._lock = lock
        self._leaving.clear()
        self._arriving = 0
        self._reaper.after_fork()

    # Without the lock.

    def make_room(self, flight: Flight, takes_place: bool) -> None:
        """Before a load: unload what must go for it."""
        with self._lock:
            if takes_place:
                flight.counted = True
                self._arriving += 1
            evicted = self.trim()
        self.unload(evicted)
        limit = self._settings.cache_memory
        while limit is not None and resident_bytes() - self._baseline > limit:
            with self._lock:
                self._evict_one(evicted)
            if not evicted:
                return
            self.unload(evicted)
            self._reaper.tidy()

    def unload(self, entries: list[Entry]) -> None:
        """Unload in this thread. The list is emptied: nothing refers to the models when their end is told."""
        while entries:
            entry = entries.pop()
            self._close(entry)
            key, farewell = entry.key, {"event": "unloaded", **entry.identity, "reason": entry.reason}
            del entry
            self._report(farewell)
            with self._lock:
                left = self._leaving.pop(key)
            left.set()
            self._reaper.tidy_soon()

    def unload_soon(self, entries: list[Entry]) -> None:
        """Unload in a thread of our own."""
        if entries:
            self._reaper.unload(entries)

    def _evict_one(self, evicted: list[Entry]) -> bool:
        victim = min((entry for entry in self._held if entry.pins == 0), key=lambda entry: entry.used, default=None)
        if victim is None:
            return False
        self._evict(victim)
        evicted += self.let_go([victim])
        return True

    def _leave(self, entry: Entry, leaving: list[Entry]) -> None:
        self._leaving[entry.key] = threading.Event()
        leaving.append(entry)

    def _close(self, entry: Entry) -> None:
        self._reaper.watch(entry.loaded.watched)
        try:
            entry.loaded.close()
        except BaseException as error:  # The boundary to the library's code.
            self._log("error", f"{title(entry.name, entry.number)} was not closed cleanly: {user_traceback(error)}")
