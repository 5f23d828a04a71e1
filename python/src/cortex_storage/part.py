"""A range of an object on its way to disk, and how far it has come."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cortex_storage.faults import StorageFault, changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cortex_storage.target import Target

_TOLD_EVERY = 0.1
"""Seconds."""


@dataclass
class Part:
    """One range. While a thread drains an answer into it, nobody else writes `at`."""

    target: Target
    start: int
    end: int
    at: int = field(init=False)
    counted: int = field(init=False)
    """How far it had come when it was last counted."""

    def __post_init__(self) -> None:
        self.at = self.counted = self.start

    def drain(self, first: Any, rest: Iterator[Any], tell: Callable[[int], None]) -> None:
        """Write the first piece and those that follow, until this range or the answer ends.

        All on the calling thread: handing over each piece costs more than to receive and write it. An answer that falls
        silent holds the thread until the store's own timeout; what has been abandoned meanwhile is written no more.
        `tell` is called now and then, with how far it has come, and not for its end.

        Raises:
            StorageFault: it could not be written, or more came than was asked for.
        """
        piece, told = first, -_TOLD_EVERY
        while piece is not None:
            if self.at + len(piece) > self.end:
                raise changed(self.target.shown)
            self.target.write(piece, self.at)
            self.at += len(piece)
            if self.at == self.end:
                return
            now = time.monotonic()
            if now - told > _TOLD_EVERY:
                told = now
                tell(self.at)
            piece = next(rest, None)

    def truncated(self) -> StorageFault:
        """What it is when the answer has ended too early."""
        size = self.target.entry.size
        return StorageFault(
            "truncated", f"{self.target.shown}: the connection ended after {self.at:,} of {size:,} bytes"
        )
