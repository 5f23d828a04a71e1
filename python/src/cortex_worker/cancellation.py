"""Which requests nobody waits for any more."""

from __future__ import annotations

import threading
from typing import Callable

# A cancellation may come after its answer has gone; such numbers are never asked for again, and the oldest go.
_KEPT = 4096


class Cancellations:
    """The numbers of cancelled requests: added by the control thread, asked by the slots.

    A cancellation and its request come over different connections, so that either may be first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: To be looked into: a slot asks for each request, and a method would take longer than the answer does.
        self.numbers: dict[int, None] = {}
        self._watchers: dict[int, Callable[[], object]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self.numbers

    def add(self, number: int) -> None:
        """Mark a request, and tell who watches it."""
        with self._lock:
            self.numbers[number] = None
            if len(self.numbers) > _KEPT:
                del self.numbers[next(iter(self.numbers))]
            watcher = self._watchers.get(number)
        if watcher is not None:
            watcher()

    def watch(self, number: int, watcher: Callable[[], object]) -> None:
        """Have `watcher` called, from any thread, once the request is cancelled: at once if it is already."""
        with self._lock:
            self._watchers[number] = watcher
            cancelled = number in self.numbers
        if cancelled:
            watcher()

    def unwatch(self, number: int) -> None:
        """End a `watch`."""
        with self._lock:
            self._watchers.pop(number, None)

    def discard(self, number: int) -> None:
        """Forget a request that has ended."""
        if number in self.numbers:
            with self._lock:
                self.numbers.pop(number, None)
