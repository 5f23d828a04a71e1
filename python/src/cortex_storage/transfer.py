"""Brings objects to disk: in parts where they are large, on from where it broke, and never another than was listed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import BaseError, NotSupportedError

from cortex_storage.faults import StorageFault, changed, of_store
from cortex_storage.objects import check
from cortex_storage.part import Part
from cortex_storage.place import QUIET_TIMEOUT
from cortex_storage.target import Target
from cortex_storage.together import each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cortex_storage.objects import StoredObject
    from cortex_storage.place import Place

LARGE = 32 << 20
PART = 16 << 20
AT_ONCE = 8
"""Parts of one request that are under way."""
ALL_AT_ONCE = 32
"""Parts of all requests: so many that a server which stands still does not hold up the others."""
_PIECE = 64 << 10
"""Least bytes that are written at once. With more, the memory that each is newly given costs more than the writing."""
_TRIES = 5
"""In a row, and without a byte gained."""
_LONGEST_WITHOUT_GAIN = 1.5 * QUIET_TIMEOUT
"""Seconds: a server that fell silent is asked once more, and no third time."""
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 10.0
# More than parts: the thread of one that was cancelled while its server stood still is there until that is noticed.
_RECEIVERS = ThreadPoolExecutor(4 * ALL_AT_ONCE, "receive")
_WORTH_A_NEW_TRY = ("unreachable", "failed", "truncated")


@dataclass
class Transfer:
    """One request: these objects, into that folder, under their paths less `prefix`."""

    place: Place
    objects: list[StoredObject]
    prefix: str
    folder: str
    gate: asyncio.Semaphore
    report: Callable[[int], None]
    _came: int = 0
    _is_over: bool = False
    _begun: Any = None
    """The answer that is the first part of the first object."""
    _targets: dict[str, Target] = field(default_factory=dict)

    async def run(self) -> None:
        """Bring them all.

        Raises:
            StorageFault: what is in the folder then is to be thrown away.
        """
        for entry in self.objects:
            check(entry.path, self.place.shown(entry.path))
            if not entry.path.startswith(self.prefix) or entry.path == self.prefix:
                raise StorageFault("failed", f"{self.place.shown(entry.path)} is not below {self.prefix}")
        self._check_space()
        largest = max(self.objects, key=lambda entry: entry.size, default=None)
        if largest is not None and largest.size > LARGE and self.place.ranges is None:
            await self._learn_ranges(largest)
            # First, as its answer has begun to come.
            self.objects.sort(key=lambda entry: entry is not largest)
        try:
            await each(self._parts(), self._bring, AT_ONCE)
        finally:
            self._is_over = True
            for target in self._targets.values():
                target.abandon()

    def _check_space(self) -> None:
        needed = sum(entry.size for entry in self.objects)
        state = os.statvfs(self.folder)
        free = state.f_bavail * state.f_frsize
        if needed > free:
            raise StorageFault(
                "diskFull",
                f"{self.place.shown(self.prefix)} needs {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free in "
                f"{self.folder}; make room, or set predictor.models.disk_cache_size",
            )

    async def _learn_ranges(self, entry: StoredObject) -> None:
        """Ask a web server for the first part: some send all there is, whatever was asked for."""
        try:
            self._begun = await self._answer(entry, 0, PART)
            self.place.ranges = True
        except NotSupportedError:
            self.place.ranges = False
        except (BaseError, OSError) as error:
            raise of_store(error, self.place, entry.path) from error

    def _parts(self) -> Iterator[Part]:
        """The work, in order; a file is made when its first part is begun."""
        for entry in self.objects:
            target = Target(entry, self.place.shown(entry.path), self.folder, entry.path[len(self.prefix) :])
            self._targets[entry.path] = target
            step = PART if entry.size > LARGE and self.place.ranges else entry.size
            if entry.size == 0:
                self._finish(target)
                continue
            for start in range(0, entry.size, step):
                yield Part(target, start, min(start + step, entry.size))

    def _finish(self, target: Target) -> None:
        del self._targets[target.entry.path]
        target.finish()

    async def _bring(self, part: Part) -> None:
        """Bring a part, with new tries from where the last one broke."""
        failures = 0
        gained = time.monotonic()
        while True:
            before = part.at
            async with self.gate:
                fault = await self._try(part)
            if fault is None:
                break
            if part.at > before and self.place.ranges:
                failures, gained = 0, time.monotonic()
            failures += 1
            if failures >= _TRIES or time.monotonic() - gained > _LONGEST_WITHOUT_GAIN:
                raise StorageFault(fault.kind, f"{fault.message} (tried {failures} times)")
            if not self.place.ranges:
                part.at = part.start
                self._count(part, part.at)
            # Full jitter: many parts that broke at once do not come back at once.
            await asyncio.sleep(random.uniform(0, min(_LONGEST_DELAY, _FIRST_DELAY * 2**failures)))
        if part.target.missing == 0:
            self._finish(part.target)

    async def _try(self, part: Part) -> StorageFault | None:
        """Go on with a part; returns what ended it early if that may pass."""
        try:
            await self._receive(part)
        except StorageFault as fault:
            if fault.kind in _WORTH_A_NEW_TRY:
                return fault
            raise
        return None if part.at == part.end else part.truncated()

    async def _receive(self, part: Part) -> None:
        """Write what one answer brings."""
        loop = asyncio.get_running_loop()

        def tell(position: int) -> None:
            # The loop may be gone, where this was cancelled.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._count, part, position)

        try:
            answer = self._take_begun(part)
            if answer is None:
                answer = await self._answer(part.target.entry, part.at, part.end)
            pieces: Any = answer.stream(min_chunk_size=_PIECE)
            # No thread waits for an answer to begin.
            try:
                first = await pieces.__aiter__().__anext__()
            except StopAsyncIteration:
                return
            await loop.run_in_executor(_RECEIVERS, part.drain, first, iter(pieces), tell)
        except (BaseError, OSError) as error:
            raise of_store(error, self.place, part.target.entry.path) from error
        finally:
            self._count(part, part.at)

    def _take_begun(self, part: Part) -> Any:
        if part.at > 0 or part.target.entry is not self.objects[0]:
            return None
        answer, self._begun = self._begun, None
        return answer

    async def _answer(self, entry: StoredObject, start: int, end: int) -> Any:
        """The store's answer, once it is known to be about what was listed."""
        options: Any = {}
        if start > 0 or end < entry.size:
            options["range"] = (start, end)
        if entry.tag and not entry.tag.startswith("W/"):
            # A weak tag never matches; it is compared with that of the answer, as the others are too.
            options["if_match"] = entry.tag if entry.tag.startswith('"') else f'"{entry.tag}"'
        answer = await obstore.get_async(self.place.store, entry.path, options=options)
        meta = answer.meta
        same = int(meta["size"]) == entry.size
        if entry.tag and meta["e_tag"]:
            same = same and meta["e_tag"].strip('"') == entry.tag.strip('"')
        elif not entry.tag:
            same = same and int(meta["last_modified"].timestamp()) == entry.modified // 1000
        if not same:
            raise changed(self.place.shown(entry.path))
        return answer

    def _count(self, part: Part, position: int) -> None:
        """Take over how far a part has come."""
        count = position - part.counted
        part.counted = position
        part.target.missing -= count
        self._came += count
        if count and not self._is_over:
            self.report(self._came)
