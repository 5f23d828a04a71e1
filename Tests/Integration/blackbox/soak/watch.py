"""What the server holds of its machine, second by second."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from dataclasses import dataclass

from blackbox.processes import Footprint, processor_seconds
from blackbox.server import Server
from blackbox.soak.accidents import workers


@dataclass(frozen=True)
class Sample:
    """One moment."""

    second: float
    resident: int
    """Bytes of the server's own process."""
    descriptors: int
    workers: int
    spooled: int
    """Files in the spool."""

    @classmethod
    def of(cls, server: Server, begun: float) -> Sample:
        """What is there now."""
        footprint = Footprint.of(server.pid)
        spool = server.home / "spool"
        return cls(
            time.monotonic() - begun,
            footprint.resident,
            footprint.descriptors,
            len(workers(server)),
            len(os.listdir(spool)) if spool.exists() else 0,
        )


class Watch:
    """Samples until it is cancelled."""

    def __init__(self, server: Server) -> None:
        self.samples: list[Sample] = []
        self._server = server
        self._begun = time.monotonic()

    async def run(self) -> None:
        """Takes a sample a second."""
        while True:
            self.samples.append(Sample.of(self._server, self._begun))
            await asyncio.sleep(1)

    def between(self, start: float, end: float) -> list[Sample]:
        """The samples of these seconds."""
        return [sample for sample in self.samples if start <= sample.second < end]


def median(samples: list[Sample], field: str) -> float:
    """The middle one of a field's values."""
    return statistics.median(float(getattr(sample, field)) for sample in samples)


class Clock:
    """Who uses the processors: a rate that is missed may be this program's own fault."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._begun = self._now()

    def __str__(self) -> str:
        seconds, server, own = (now - then for now, then in zip(self._now(), self._begun))
        return (
            f"processors: {server / seconds:.2f} the server with its workers, {own / seconds:.2f} this program, "
            f"of {os.cpu_count()}"
        )

    def _now(self) -> tuple[float, float, float]:
        pids = [self._server.pid, *workers(self._server)]
        return time.monotonic(), sum(map(processor_seconds, pids)), time.process_time()
