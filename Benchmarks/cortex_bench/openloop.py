"""Load that does not wait for answers: requests leave when they are due, however slow the answers are."""

from __future__ import annotations

import asyncio
import selectors
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Callable


@dataclass(frozen=True)
class Stream:
    """Requests at a steady rate, each with the next of `bodies`."""

    name: str
    per_second: float
    bodies: Iterator[str]


@dataclass
class Latencies:
    """What a stream's requests took, in seconds from when they were due."""

    seconds: list[float] = field(default_factory=list)
    failures: int = 0

    def percentile(self, share: float) -> float:
        """The latency in milliseconds that `share` of all requests kept."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


class _Connection(asyncio.Protocol):
    """A connection that is asked one thing at a time."""

    def __init__(self) -> None:
        self._answered: Callable[[bool], None] | None = None
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def close(self) -> None:
        """Ends it."""
        if self._transport is not None:
            self._transport.abort()

    def ask(self, request: bytes, answered: Callable[[bool], None]) -> None:
        """Sends a request; `answered` gets whether all went well."""
        assert self._transport is not None
        self._answered, self._received = answered, b""
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        _, found, rest = head.lower().partition(b"content-length:")
        length = int(rest.split(b"\r\n", 1)[0]) if found else 0
        if len(body) >= length:
            self._end(b" 200 " in head.split(b"\r\n", 1)[0])

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(False)

    def _end(self, well: bool) -> None:
        if self._answered is not None:
            answered, self._answered = self._answered, None
            answered(well)


class OpenLoop:
    """One run after another against one API.

    A request that is due while all connections are busy waits for one; that is part of what it takes.
    """

    CONNECTIONS = 64

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._path = path
        self._spare: list[_Connection] = []
        self._waiting: deque[tuple[bytes, float, Latencies]] = deque()

    def run(self, streams: list[Stream], seconds: float) -> dict[str, Latencies]:
        """Sends all streams for that long, waits for the last answers, and tells what each took."""
        found = {stream.name: Latencies() for stream in streams}
        # `select` waits for microseconds; asyncio's own choice rounds up to the next millisecond.
        loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
        try:
            loop.run_until_complete(self._run(streams, seconds, found))
        finally:
            loop.close()
        failures = {name: each.failures for name, each in found.items() if each.failures or not each.seconds}
        if failures:
            sys.exit(f"error: {self._path}: requests failed: {failures}")
        return found

    async def _run(self, streams: list[Stream], seconds: float, found: dict[str, Latencies]) -> None:
        loop = asyncio.get_running_loop()
        pairs = [await loop.create_connection(_Connection, "127.0.0.1", self._port) for _ in range(self.CONNECTIONS)]
        self._spare = [connection for _, connection in pairs]
        start = time.perf_counter() + 0.05
        await asyncio.gather(*(self._send(stream, start, seconds, found[stream.name]) for stream in streams))
        end = time.perf_counter() + 60
        while len(self._spare) < self.CONNECTIONS and time.perf_counter() < end:
            await asyncio.sleep(0.01)
        for _, connection in pairs:
            connection.close()
        await asyncio.sleep(0)

    async def _send(self, stream: Stream, start: float, seconds: float, latencies: Latencies) -> None:
        for number in range(int(stream.per_second * seconds)):
            due = start + number / stream.per_second
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            body = next(stream.bodies)
            request = (
                f"POST {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
            self._waiting.append((request, due, latencies))
            if self._spare:
                self._ask(self._spare.pop())

    def _ask(self, connection: _Connection) -> None:
        """Sends what has waited longest."""
        request, due, latencies = self._waiting.popleft()

        def answered(well: bool) -> None:
            if well:
                latencies.seconds.append(time.perf_counter() - due)
            else:
                latencies.failures += 1
            if self._waiting:
                self._ask(connection)
            else:
                self._spare.append(connection)

        connection.ask(request, answered)
