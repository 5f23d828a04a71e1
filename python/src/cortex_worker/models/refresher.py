"""Loads what nobody has asked for yet: changed versions, newer ones, and failed ones again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from cortex_worker.models.flight import Flight


#: Seconds after which a load no longer holds up those of others, and how many may go on so.
PATIENCE = 10.0
_MOST_SLOW = 4


class Refresher:
    """Looks at models when they have changed or an attempt is due, and has one version loaded at a time.

    A load that takes long, or never ends, goes on beside the others.
    """

    def __init__(
        self,
        lock: threading.Lock,
        clock: Callable[[], float],
        next_load: Callable[[str, float], tuple[Flight | None, float | None]],
        load: Callable[[Flight], None],
        slow: Callable[[Flight], None],
        patience: float,
    ) -> None:
        self._changed = threading.Condition(lock)
        self._clock = clock
        self._next_load = next_load
        self._load = load
        self._tell_slow = slow
        self._patience = patience
        self._slow: list[Flight] = []
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
            threading.Thread(target=self._load, args=(flight,), name="model-load", daemon=True).start()
            if not flight.done.wait(self._patience):
                self._tell_slow(flight)
                self._bear(flight)
            # Not kept while waiting for the next.
            del flight

    def _bear(self, flight: Flight) -> None:
        """Let a load go on beside the next ones; too many of them hold the next ones up after all."""
        self._slow = [each for each in (*self._slow, flight) if not each.done.is_set()]
        if len(self._slow) > _MOST_SLOW:
            self._slow.pop(0).done.wait()

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
