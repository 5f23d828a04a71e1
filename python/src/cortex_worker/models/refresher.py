"""The thread that loads what nobody has asked for yet: changed versions, newer ones, and failed ones again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from cortex_worker.models.flight import Flight


class Refresher:
    """Looks at models when they have changed or an attempt is due, and loads one version at a time."""

    def __init__(
        self,
        lock: threading.Lock,
        clock: Callable[[], float],
        next_load: Callable[[str, float], tuple[Flight | None, float | None]],
        load: Callable[[Flight], None],
    ) -> None:
        self._changed = threading.Condition(lock)
        self._clock = clock
        self._next_load = next_load
        self._load = load
        #: When to look at which model.
        self._due: dict[str, float] = {}
        self._allowed = False
        self._started = False

    def start(self) -> None:
        """Load from now on. Called with the lock, once the predictor is built: it may be what loads."""
        self._allowed = True
        self._wake()

    def look_at(self, name: str) -> None:
        """Look at a model as soon as there is time. Called with the lock."""
        self._due[name] = self._clock()
        self._wake()

    def after_fork(self, lock: threading.Lock) -> None:
        """In a forked child: the thread is not here."""
        self._changed = threading.Condition(lock)
        self._started = False

    def _wake(self) -> None:
        if self._started:
            self._changed.notify()
        elif self._allowed and self._due:
            self._started = True
            threading.Thread(target=self._run, name="model-loader", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._changed:
                flight = self._take()
                if flight is None:
                    now = self._clock()
                    self._changed.wait(min((at - now for at in self._due.values()), default=None))
                    continue
            self._load(flight)
            # Not kept while waiting for the next.
            del flight

    def _take(self) -> Flight | None:
        now = self._clock()
        for name in [name for name, at in self._due.items() if at <= now]:
            flight, look_again_at = self._next_load(name, now)
            if look_again_at is None:
                del self._due[name]
            else:
                self._due[name] = look_again_at
            if flight is not None:
                return flight
        return None
