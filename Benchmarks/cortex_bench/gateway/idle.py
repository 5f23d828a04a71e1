"""Five thousand connections that say nothing: what they take, and whether the others notice."""

from __future__ import annotations

import resource
import socket
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from cortex_bench.gateway.noop import BODY, running_noop
from cortex_bench.machine import resident, say
from cortex_bench.measuring import Round, measure
from cortex_bench.suite import Findings, Goal, Settings

CONNECTIONS = 5000
BUSY = 32
"""Connections of those that are measured."""
LATENCY_GATE = 1.2
"""Most of p99, as a multiple of that without the idle ones."""
MEMORY_GATE = 10_000
"""Most bytes for each of them."""


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    _allow_descriptors(CONNECTIONS + 200)
    alone: list[Round] = []
    beside: list[Round] = []
    grown: list[float] = []
    with running_noop(settings) as (cortex, target):
        for number in range(settings.rounds):
            # Not counted: caches get warm, and the server closes what the round before has left it; that takes a while.
            measure(settings.wrk, target, BUSY, 1)
            alone.append(measure(settings.wrk, target, BUSY, settings.seconds))
            before = resident(cortex.pid)
            with _idle(cortex.port, "/noop") as sockets:
                grown.append((resident(cortex.pid) - before) / len(sockets))
                beside.append(measure(settings.wrk, target, BUSY, settings.seconds))
                _check_alive(sockets)
            say(
                f"round {number + 1}/{settings.rounds}  p99 {alone[-1].p99_ms:.2f} ms, {beside[-1].p99_ms:.2f} ms"
                f" beside idle ones; {grown[-1]:,.0f} bytes each"
            )
    ratio = statistics.median(loud.p99_ms / calm.p99_ms for loud, calm in zip(beside, alone))
    # Later rounds find much of it where the first has left it.
    each = max(grown)
    print(f"\n{CONNECTIONS} idle connections, each after one request; {BUSY} busy ones")
    for name, rounds in (("without them", alone), ("beside them", beside)):
        rate = statistics.median(one.requests_per_second for one in rounds)
        print(f"  {name:14} {rate:8,.0f} req/s, p99 {statistics.median(one.p99_ms for one in rounds):.2f} ms")
    print(f"  p99 is {ratio:.2f} times as long; the server holds {each:,.0f} bytes more for each")
    goals = [
        Goal(f"p99 beside {CONNECTIONS} idle connections", ratio, LATENCY_GATE, "times that without"),
        Goal("memory of an idle connection", each, MEMORY_GATE, "bytes"),
    ]
    record = {"alone": [vars(one) for one in alone], "beside": [vars(one) for one in beside], "bytes_each": grown}
    return Findings(goals, {"idle": record})


def _allow_descriptors(count: int) -> None:
    """For this process, and for the server that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        if hard != resource.RLIM_INFINITY and hard < count:
            sys.exit(f"error: {count} open files are needed, {hard} are allowed (ulimit -Hn)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


@contextmanager
def _idle(port: int, path: str) -> Iterator[list[socket.socket]]:
    """Connections that have been answered once, as a client's pool keeps them."""
    request = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n{BODY}"
    ).encode()
    with ExitStack() as stack:
        sockets = []
        for _ in range(CONNECTIONS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            client.sendall(request)
            if not client.recv(4096).startswith(b"HTTP/1.1 200 "):
                sys.exit("error: a connection that was to be idle was not answered")
            sockets.append(client)
        yield sockets


def _check_alive(sockets: list[socket.socket]) -> None:
    """The server must have kept them, or nothing was measured."""
    for client in sockets:
        client.setblocking(False)
        try:
            client.recv(1)
        except BlockingIOError:
            continue
        sys.exit("error: the server closed an idle connection within one measurement")
