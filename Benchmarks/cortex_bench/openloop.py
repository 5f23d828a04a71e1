"""Load that does not wait for answers: requests leave when they are due, however slow the answers are."""

from __future__ import annotations

import gc
import heapq
import selectors
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event


@dataclass(frozen=True)
class Stream:
    """Requests at a steady rate, each with the next of `bodies`."""

    name: str
    per_second: float
    bodies: Iterator[str]
    begin: float = 0
    """Seconds after the start of the run."""
    length: float | None = None
    """Seconds; without it until the end of the run."""
    until: Event | None = None
    """Ends it before."""


@dataclass(frozen=True)
class Answer:
    """One answer; instants in seconds after the start of the run."""

    status: int
    due: float
    sent: float
    """When a connection was free for it."""
    ended: float


@dataclass
class Latencies:
    """What a stream's requests took, in seconds from when they were due."""

    seconds: list[float] = field(default_factory=list)
    """Of those answered with 200."""
    answers: list[Answer] = field(default_factory=list)
    """All of them, in the order of their ends."""
    late: list[float] = field(default_factory=list)
    """What of it passed until the generator came to the request: how far the rest can be trusted."""
    failures: int = 0
    start: float = 0
    """Of the run, on the clock of `time.perf_counter`."""

    @property
    def refusals(self) -> dict[int, int]:
        """How many answers had which status, other than 200."""
        return dict(Counter(answer.status for answer in self.answers if answer.status != 200))

    def percentile(self, share: float) -> float:
        """The latency in milliseconds that `share` of all requests kept."""
        return percentile(self.seconds, share)

    def lateness(self, share: float) -> float:
        """The milliseconds of lateness that `share` of all requests kept."""
        return percentile(self.late, share)


def percentile(seconds: list[float], share: float) -> float:
    """The milliseconds that `share` of these durations kept."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


@dataclass
class _Request:
    """One that is due, or under way."""

    due: float
    data: bytes
    latencies: Latencies
    sent: float = 0


class _Connection:
    """A connection that is asked one thing at a time."""

    def __init__(self, port: int) -> None:
        self.socket = _connect(port)
        self._port = port
        self._request: _Request | None = None
        self._received = b""

    @property
    def is_asked(self) -> bool:
        """Whether an answer is to come."""
        return self._request is not None

    def open_again(self) -> None:
        """Takes the place of a connection that the server has closed while nothing was asked, as it may."""
        data = self.socket.recv(1 << 16)
        if data:
            sys.exit(f"error: the server said what nobody had asked for: {data[:200]!r}")
        self.close()
        self.socket = _connect(self._port)

    def close(self) -> None:
        """Ends it."""
        self.socket.close()

    def ask(self, request: _Request) -> None:
        """Sends a request."""
        request.sent = time.perf_counter()
        self._request, self._received = request, b""
        self.socket.sendall(request.data)

    def receive(self, start: float) -> bool:
        """Takes what has come. Returns whether the answer is whole, and has counted it then."""
        request = self._request
        assert request is not None
        data = self.socket.recv(1 << 16)
        if not data:
            sys.exit("error: the server closed a connection")
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return False
        _, found, rest = head.lower().partition(b"content-length:")
        if len(body) < (int(rest.split(b"\r\n", 1)[0]) if found else 0):
            return False
        now = time.perf_counter()
        status = int(head[9:12])
        request.latencies.answers.append(Answer(status, request.due - start, request.sent - start, now - start))
        if status == 200:
            request.latencies.seconds.append(now - request.due)
        else:
            request.latencies.failures += 1
        self._request = None
        return True


def _connect(port: int) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", port), timeout=60)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


class OpenLoop:
    """One run after another against one API.

    A request that is due while all connections are busy waits for one; that is part of what it takes. Plain sockets and
    one thread: the generator shares the processors with what it measures, and should take little of them.
    """

    def __init__(self, port: int, path: str, connections: int = 64, may_fail: bool = False) -> None:
        self._port = port
        self._path = path
        self._connections = connections
        self._may_fail = may_fail

    def run(self, streams: list[Stream], seconds: float) -> dict[str, Latencies]:
        """Sends all streams for that long, waits for the last answers, and tells what each took."""
        found = {stream.name: Latencies() for stream in streams}
        # `select` waits for microseconds; `epoll` and `poll` round up to the next millisecond.
        with ExitStack() as stack:
            # To look for garbage among all the answers so far would hold up those that come meanwhile.
            gc.disable()
            stack.callback(gc.enable)
            selector = stack.enter_context(selectors.SelectSelector())
            spare = [_Connection(self._port) for _ in range(self._connections)]
            for connection in spare:
                stack.callback(connection.close)
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            start = time.perf_counter() + 0.05
            for each in found.values():
                each.start = start
            plans = (self._plan(stream, start, seconds, found[stream.name]) for stream in streams)
            self._send(heapq.merge(*plans, key=lambda request: request.due), spare, selector, start)
        failures = {name: each.refusals for name, each in found.items() if each.failures or not each.seconds}
        if failures and not self._may_fail:
            sys.exit(f"error: {self._path}: requests failed: {failures}")
        return found

    def _plan(self, stream: Stream, start: float, seconds: float, latencies: Latencies) -> Iterator[_Request]:
        first = start + stream.begin
        length = seconds - stream.begin if stream.length is None else stream.length
        for number in range(int(stream.per_second * length)):
            if stream.until is not None and stream.until.is_set():
                return
            body = next(stream.bodies)
            data = (
                f"POST {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
            yield _Request(first + number / stream.per_second, data, latencies)

    def _send(
        self,
        plan: Iterator[_Request],
        spare: list[_Connection],
        selector: selectors.BaseSelector,
        start: float,
    ) -> None:
        waiting: deque[_Request] = deque()
        coming = next(plan, None)
        while coming is not None or waiting or len(spare) < self._connections:
            now = time.perf_counter()
            while coming is not None and coming.due <= now:
                coming.latencies.late.append(now - coming.due)
                waiting.append(coming)
                coming = next(plan, None)
            while waiting and spare:
                spare.pop().ask(waiting.popleft())
            timeout = 60 if coming is None else max(0, coming.due - time.perf_counter())
            ready = selector.select(timeout)
            if not ready and coming is None:
                sys.exit(f"error: {self._path}: no answer for a minute")
            for key, _ in ready:
                connection: _Connection = key.data
                if not connection.is_asked:
                    selector.unregister(connection.socket)
                    connection.open_again()
                    selector.register(connection.socket, selectors.EVENT_READ, connection)
                elif connection.receive(start):
                    spare.append(connection)
