"""One model: which version is the latest, what is to be loaded, what may go. It decides; the holder acts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cortex_worker.errors import ModelError, ModelLoadFailed
from cortex_worker.models.naming import missing_version, without_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cortex_worker.models.catalog import CatalogModel
    from cortex_worker.models.entry import Entry

EVICTED, REPLACED, REMOVED = "evicted", "replaced", "removed"

# Seconds to the next attempt: the first, doubled each time, at most. What failed to load will hardly load next time;
# what could not be brought here may come soon.
_LOAD_BACKOFF = (10.0, 600.0)
_ENSURE_BACKOFF = (1.0, 60.0)


@dataclass(frozen=True)
class Failure:
    """Why a version could not be loaded. It stands until the version's generation changes."""

    generation: str
    error: ModelError
    attempts: int
    retry_at: float


class Work(NamedTuple):
    """What is to be loaded in the background, and when to look again."""

    numbers: list[int]
    look_again_at: float | None


class ModelState:
    """One model. The methods that let go of entries return them: the holder unloads them once no request has them.

    The *bound* entry is what serves as the latest. It is usually also in `loaded`; where its version was removed, it
    stands in until the next version is loaded.
    """

    def __init__(self, name: str, catalog: CatalogModel) -> None:
        self.name = name
        self.catalog = catalog
        self.loaded: dict[int, Entry] = {}
        self.bound: Entry | None = None
        self.failures: dict[int, Failure] = {}

    def failure(self, number: int) -> Failure | None:
        """Why the version, as it is now, could not be loaded; None if nothing is known against it."""
        version = self.catalog.versions.get(number)
        if version is None:
            return None
        if version.error is not None:
            return Failure(version.generation, ModelLoadFailed(version.error), 1, math.inf)
        failure = self.failures.get(number)
        return failure if failure is not None and failure.generation == version.generation else None

    def latest(self, now: float) -> int | None:
        """The version to load as the latest: the highest that is not known to be bad, or is due for another attempt."""
        for number in self._descending():
            failure = self.failure(number)
            if number in self.loaded or failure is None or failure.retry_at <= now:
                return number
        return None

    def choose(self, number: int | None, now: float) -> Entry | int:
        """The entry that serves a request for `number` (None: the latest), or the version to load for it.

        Raises a `ModelError` where there is no such version, or it could not be loaded a moment ago.
        """
        if number is not None:
            entry = self.loaded.get(number)
            if entry is not None:
                entry.by_number = True
                return entry
            if number not in self.catalog.versions:
                raise missing_version(self.name, number, self.catalog.versions)
            self._raise_failure(number, now)
            return number
        if self.bound is not None:
            return self.bound
        if not self.catalog.versions:
            raise without_versions(self.name)
        number = self.latest(now)
        if number is None:
            number = max(self.catalog.versions)
            self._raise_failure(number, now)
        self.bound = self.loaded.get(number)
        return number if self.bound is None else self.bound

    def change(self, catalog: CatalogModel) -> list[Entry]:
        """Take over what is there now. Versions that are gone are let go; changed ones serve until they are loaded."""
        self.catalog = catalog
        dropped = []
        for number in [each for each in self.loaded if each not in catalog.versions]:
            entry = self.loaded.pop(number)
            entry.reason = REMOVED
            if entry is not self.bound or not catalog.versions:
                dropped.append(entry)
        if not catalog.versions:
            if self.bound is not None and self.bound not in dropped:
                dropped.append(self.bound)
            self.bound = None
        self.failures = {number: each for number, each in self.failures.items() if self.failure(number) is not None}
        bound = self.bound
        if bound is not None and bound.generation == self._generation(bound.number):
            # A stand-in whose version has come back serves it again.
            self.loaded.setdefault(bound.number, bound)
        return dropped + self._rebind()

    def install(self, entry: Entry, as_latest: bool) -> list[Entry] | None:
        """Let a loaded entry serve. None if it came too late: its version is gone, or has changed again."""
        if entry.generation != self._generation(entry.number):
            return None
        dropped = []
        old = self.loaded.get(entry.number)
        if old is not None:
            # A reload is no use: a model that nobody asks for stays the next to be evicted.
            entry.used, entry.by_number = max(entry.used, old.used), entry.by_number or old.by_number
            old.reason = REPLACED
            dropped.append(old)
        self.loaded[entry.number] = entry
        self.failures.pop(entry.number, None)
        if self.bound is old and old is not None:
            self.bound = entry
        if as_latest and self.bound is None:
            self.bound = entry
        return dropped + self._rebind()

    def fail(self, number: int, generation: str, error: ModelError, now: float) -> list[Entry]:
        """Remember that a version could not be loaded."""
        if generation != self._generation(number):
            return []
        known = self.failure(number)
        attempts = 1 if known is None else known.attempts + 1
        first, most = _LOAD_BACKOFF if isinstance(error, ModelLoadFailed) else _ENSURE_BACKOFF
        delay = min(first * 2 ** min(attempts - 1, 30), most)
        self.failures[number] = Failure(generation, error, attempts, now + delay)
        return self._rebind()

    def evict(self, entry: Entry) -> None:
        """Let one entry go, to make room."""
        entry.reason = EVICTED
        if self.loaded.get(entry.number) is entry:
            del self.loaded[entry.number]
        if self.bound is entry:
            self.bound = None

    def work(self, now: float, eager: bool) -> Work:
        """What to load without being asked: what has changed under a loaded version, and a newer latest.

        A model of which nothing is in memory is left to the first request, unless it is `eager`.
        """
        numbers: list[int] = []
        times: list[float] = []

        def want(number: int) -> bool:
            failure = self.failure(number)
            if failure is not None and failure.retry_at > now:
                if failure.retry_at < math.inf:
                    times.append(failure.retry_at)
                return False
            if number not in numbers:
                numbers.append(number)
            return True

        if self.bound is not None or eager:
            for number in self._descending():
                entry = self.loaded.get(number)
                if entry is not None and entry.generation == self._generation(number):
                    break
                if want(number) or entry is not None:
                    break
        for number, entry in self.loaded.items():
            if entry.generation != self._generation(number):
                want(number)
        return Work(numbers, min(times, default=None))

    def _rebind(self) -> list[Entry]:
        """Move the binding to the version that should be the latest, if that is loaded."""
        if self.bound is None:
            return []
        for number in self._descending():
            entry = self.loaded.get(number)
            if entry is None:
                if self.failure(number) is None:
                    return []
                continue
            old, self.bound = self.bound, entry
            if old is entry:
                return []
            if self.loaded.get(old.number) is not old:
                # The stand-in of a version that is gone.
                return [old]
            if old.by_number:
                return []
            del self.loaded[old.number]
            old.reason = REPLACED
            return [old]
        return []

    def _raise_failure(self, number: int, now: float) -> None:
        failure = self.failure(number)
        if failure is not None and failure.retry_at > now:
            raise failure.error.again()

    def _generation(self, number: int) -> str | None:
        version = self.catalog.versions.get(number)
        return None if version is None else version.generation

    def _descending(self) -> Iterator[int]:
        return iter(sorted(self.catalog.versions, reverse=True))
