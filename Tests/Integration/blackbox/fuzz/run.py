"""Sends cases, and looks after each batch whether the server is as it was."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import os
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from blackbox import certificates
from blackbox.conditions import eventually
from blackbox.fuzz import streams
from blackbox.fuzz.frames import FrameGrammar
from blackbox.fuzz.grammar import Case, Grammar
from blackbox.fuzz.reader import Answer, Malformed, answers
from blackbox.processes import Footprint
from blackbox.project import API, write
from blackbox.server import Server

ECHO = (Path(__file__).parents[2] / "predictors" / "echo.py").read_text()
PATIENCE = 0.5
"""Seconds that the server waits for the rest of a head or a body: most spoilt requests end so."""
SETTINGS = {
    "CORTEX_HEADER_TIMEOUT": f"{PATIENCE:g}s",
    "CORTEX_BODY_TIMEOUT": f"{PATIENCE:g}s",
    # The last request, which asks to close, may have become part of a body.
    "CORTEX_IDLE_TIMEOUT": "2s",
    "CORTEX_MAX_BODY_SIZE": "2Mi",
    # A client of HTTP/2 may give no window for its answer.
    "CORTEX_RATE_WINDOW": "2s",
}
BATCH = 200
CLIENTS = 24
WITHIN = 30.0
"""Seconds for one case; the server's own patience is a second or two."""
SLACK = 24 << 20
"""Bytes of memory that allocators may keep."""


TRIES = 4
"""How often a good connection is sent whose server ran out of patience, before that is held against the server."""
OURS = re.compile(r"[a-z][0-9]+-([0-9]+|last)|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Ids that are given once: by a case, or by the server."""


class Finding(Exception):
    """Something the server must never do, and the case that made it."""

    def __init__(self, what: str, case: Case | None = None) -> None:
        super().__init__(what if case is None else f"{case.kind}: {what}\n{case.pieces!r}"[:6000])


@dataclass
class Totals:
    """What was sent and what came."""

    cases: int = 0
    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    kinds: collections.Counter[str] = field(default_factory=collections.Counter)
    slow: int = 0
    """Good ones that ran the server out of patience on a busy machine: their answers are not missed.

    Either the fuzzer paused that long, or the server did, and the same bytes sent again had their answers.
    """
    before: Footprint | None = None
    """The server after its first batches, when its caches were full."""
    after: Footprint | None = None

    def __str__(self) -> str:
        statuses = ", ".join(f"{count} x {status}" for status, count in sorted(self.statuses.items()))
        text = f"{self.cases} cases ({dict(self.kinds)}), {self.slow} too slow; "
        text += f"{sum(self.statuses.values())} answers: {statuses}"
        if self.before and self.after:
            text += (
                f"; memory {self.before.resident / 2**20:.1f} to {self.after.resident / 2**20:.1f} MiB, "
                f"descriptors {self.before.descriptors} to {self.after.descriptors}"
            )
        return text


def fuzz(
    binary: Path,
    folder: Path,
    seed: int,
    say: Callable[[str], None],
    *,
    seconds: float | None = None,
    cases: int | None = None,
    http2: bool = False,
) -> Totals:
    """Fuzzes a server of its own for so long, or so often; raises a `Finding`."""
    made = certificates.make(folder / "tls")
    tls = {"CORTEX_TLS_CERTIFICATE": str(made.certificate), "CORTEX_TLS_KEY": str(made.key), "CORTEX_TLS_PORT": "0"}
    with Server(binary, folder / "home", None, **SETTINGS, **tls) as server:
        server.deploy(write(folder / "project", {"predictor.py": ECHO}, API("fuzz")))
        return Fuzzer(server, seed, say, made.trust("h2") if http2 else None).run(seconds, cases)


class Fuzzer:
    """One run against one server."""

    def __init__(
        self, server: Server, seed: int, say: Callable[[str], None], http2: ssl.SSLContext | None = None
    ) -> None:
        self.totals = Totals()
        self._server = server
        self._http2 = http2
        self._tls_port = int(server.status["tls_port"])
        self._grammar = FrameGrammar(seed) if http2 else Grammar(seed)
        self._say = say
        self._worker = server.post("fuzz?answer=pid", json={}).json()
        self._log = server.home / "logs" / "access.log"

    def run(self, seconds: float | None, cases: int | None) -> Totals:
        """Batch after batch."""
        begun = told = time.monotonic()
        while (seconds is None or time.monotonic() - begun < seconds) and (cases is None or self.totals.cases < cases):
            batch = [self._grammar.case(self.totals.cases + index) for index in range(BATCH)]
            ids = asyncio.run(self._send(batch))
            self.totals.cases += len(batch)
            self._is_as_before(ids)
            if time.monotonic() - told > 60:
                told = time.monotonic()
                self._say(f"{told - begun:6.0f} s  {self.totals}")
        return self.totals

    async def _send(self, batch: list[Case]) -> list[str]:
        """Returns the ids of all answers."""
        queue = list(reversed(batch))
        ids: list[str] = []

        async def client() -> None:
            while queue:
                case = queue.pop()
                self.totals.kinds[case.kind] += 1
                for left in reversed(range(TRIES)):
                    found, pause = await self._tried(case)
                    is_late = pause >= PATIENCE
                    is_slow = case.must_answer and (is_late or (left > 0 and _ran_out(found)))
                    self.totals.slow += is_slow
                    self._judge(case, found, is_slow=is_slow)
                    self.totals.statuses.update(answer.status for answer in found)
                    ids.extend(answer.request_id for answer in found)
                    if is_late or not is_slow:
                        break
                    case = case.again()

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return ids

    async def _tried(self, case: Case) -> tuple[list[Answer], float]:
        try:
            if self._http2 is None:
                return await asyncio.wait_for(self._exchange(case), WITHIN)
            return await asyncio.wait_for(streams.exchange(case, self._tls_port, self._http2), WITHIN)
        except asyncio.TimeoutError:
            raise Finding("the connection never ends", case) from None
        except (Malformed, ValueError, KeyError) as error:
            raise Finding(str(error), case) from error

    async def _exchange(self, case: Case) -> tuple[list[Answer], float]:
        """Returns the longest time between two pieces as well."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        read = asyncio.create_task(answers(reader))
        sent, pause = time.monotonic(), 0.0
        try:
            for piece in case.pieces:
                pause = max(pause, time.monotonic() - sent)
                if writer.transport.is_closing():
                    break
                writer.write(piece)
                sent = time.monotonic()
                # A server that has closed says why in its answer.
                with contextlib.suppress(ConnectionError):
                    await writer.drain()
                if len(case.pieces) > 1:
                    await asyncio.sleep(0.001)
            return await read, pause
        except ConnectionError:
            # Reset: allowed where it is refused while it still sends, after a moment of reading past.
            return [], pause
        finally:
            read.cancel()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _judge(self, case: Case, found: list[Answer], *, is_slow: bool) -> None:
        for answer in found:
            try:
                answer.check()
            except (Malformed, ValueError, KeyError) as error:
                raise Finding(str(error), case) from error
        ids = [answer.request_id for answer in found]
        places = [case.ids.index(id_) for id_ in ids if id_ in case.ids]
        if len(places) != len(set(places)) or (places != sorted(places) and self._http2 is None):
            raise Finding(f"answers out of order, or twice: {ids}", case)
        is_whole = sorted(ids) == sorted(case.ids) and all(answer.status == 200 for answer in found)
        if case.must_answer and not is_slow and not is_whole:
            raise Finding(f"good requests are answered with {found}", case)
        if any(hidden in ids for hidden in case.hidden):
            raise Finding(f"a hidden request is answered: {ids}", case)

    def _is_as_before(self, ids: list[str]) -> None:
        """The invariants of a fault."""
        server = self._server
        if server.get("/livez").status_code != 200:
            raise Finding("/livez is not 200")
        if server.post("fuzz?answer=pid", json={}).json() != self._worker:
            raise Finding("the worker is another one")

        def is_at_rest() -> bool:
            assert server.metrics("cortex_in_flight_requests") == 0
            assert server.metrics("cortex_queued_requests") == 0
            assert os.listdir(server.home / "spool") == []
            self._are_logged_once(ids)
            footprint = Footprint.of(server.pid)
            if self.totals.before is None and self.totals.cases >= 10 * BATCH:
                self.totals.before = footprint
            if self.totals.before is not None:
                self.totals.after = footprint
                assert footprint.descriptors <= self.totals.before.descriptors + 4, (self.totals.before, footprint)
                assert footprint.resident <= self.totals.before.resident + SLACK, (self.totals.before, footprint)
            return True

        try:
            eventually(is_at_rest, "the server is as before")
        except AssertionError as error:
            raise Finding(f"{error}: {error.__cause__}") from error

    def _are_logged_once(self, ids: list[str]) -> None:
        """One line of the access log for each answer; the log may have been rotated since."""
        wanted = {id_ for id_ in ids if OURS.fullmatch(id_)}
        lines = collections.Counter(
            line for file in (self._log.with_name(self._log.name + ".1"), self._log) for line in _ids(file)
        )
        assert all(lines[id_] == 1 for id_ in wanted), [id_ for id_ in wanted if lines[id_] != 1][:5]


def _ran_out(found: list[Answer]) -> bool:
    """Whether the server waited no longer, and said so or reset a connection that still sent."""
    return not found or any(answer.status == 408 for answer in found)


def _ids(log: Path) -> Iterator[str]:
    """Ids of the whole lines at the end of a log."""
    if not log.exists():
        return
    size = 4 << 20
    text = log.read_bytes()
    for line in text[-size:].splitlines(keepends=True)[1 if len(text) > size else 0 :]:
        if line.endswith(b"\n"):
            yield json.loads(line)["request_id"]
