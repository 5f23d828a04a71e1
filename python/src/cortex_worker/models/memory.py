"""How much memory the process has, and how it is given back."""

from __future__ import annotations

import ctypes
import gc
import queue
import resource
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Callable

from cortex_worker.models.yielding import yielding

if TYPE_CHECKING:
    from cortex_worker.models.entry import Entry

_PAGE_SIZE = resource.getpagesize()
# Giving memory back walks the whole heap, and a collection stops all threads: neither may take more than a small part
# of the time, however fast models come and go.
_PAUSE_FACTOR = 20
_SHORTEST_PAUSE = 1.0


def resident_bytes() -> int:
    """The memory that the process has now; where the system does not tell, the most that it ever had."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE_SIZE
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _find_trim() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        # Not the GNU C library.
        return None
    return trim


_trim = _find_trim()


def give_back() -> None:
    """Return freed memory to the system. Other threads run meanwhile."""
    if _trim is not None:
        _trim(0)


class Reaper:
    """Unloads models off the requests' threads, and gives their memory back to the system now and then."""

    def __init__(self, unload: Callable[[list[Entry]], None]) -> None:
        self._unload = unload
        self._queue: queue.SimpleQueue[list[Entry] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = False
        self._tidying = False
        #: Models that were let go, and are still there if they refer to themselves.
        self._let_go: list[weakref.ref[Any]] = []

    def unload(self, entries: list[Entry]) -> None:
        """Unload entries that no request has."""
        self._queue.put(entries)
        self._start()

    def watch(self, model: Any) -> None:
        """Note that `model` is about to be let go."""
        try:
            reference = weakref.ref(model)
        except TypeError:
            # Of a type without weak references (a dict, say): it goes with its last reference, or with the next
            # collection that Python makes by itself.
            return
        with self._lock:
            self._let_go.append(reference)

    def tidy_soon(self) -> None:
        """Give memory back, a little later: what comes until then is done in the same go."""
        with self._lock:
            if self._tidying:
                return
            self._tidying = True
        self._queue.put(None)
        self._start()

    def tidy(self) -> None:
        """Give back the memory of what was let go: now, in this thread."""
        with self._lock:
            let_go, self._let_go = self._let_go, []
            self._tidying = False
        if any(reference() is not None for reference in let_go):
            gc.collect()
        give_back()

    def after_fork(self) -> None:
        """In a forked child: the thread is not here."""
        self._lock = threading.Lock()
        self._queue = queue.SimpleQueue()
        self._started = self._tidying = False

    def _start(self) -> None:
        with self._lock:
            if self._started:
                return
            self._started = True
        threading.Thread(target=self._run, name="model-reaper", daemon=True).start()

    def _run(self) -> None:
        with yielding():
            self._reap()

    def _reap(self) -> None:
        not_before = 0.0
        while True:
            timeout = None
            if self._tidying:
                timeout = max(0.0, not_before - time.monotonic())
            try:
                entries = self._queue.get(timeout=timeout)
            except queue.Empty:
                started = time.monotonic()
                self.tidy()
                ended = time.monotonic()
                not_before = ended + max(_SHORTEST_PAUSE, (ended - started) * _PAUSE_FACTOR)
                continue
            if entries is not None:
                self._unload(entries)
