"""How soon a gateway leaves a replica that is gone: taken away, killed, or silent as a machine without power."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Callable

from cortex_bench.cluster.pods import Pod, Routes, running_gateway, running_replica
from cortex_bench.gateway.noop import BODY, EXPECTED, running_noop
from cortex_bench.machine import say
from cortex_bench.measuring import Target, await_answer
from cortex_bench.openloop import Latencies, OpenLoop, Stream
from cortex_bench.servers import Cortex
from cortex_bench.suite import Findings, Goal, Settings

RATE = 200
"""Requests a second: enough that each replica has one every 10 ms."""
BEFORE, AFTER = 1.0, 5.0
"""Seconds of load around the event: after it the replica is tried out several times."""
SLOW = 0.25
"""Seconds: what takes longer was led to a replica that is gone."""
GATE = 1.0


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    with ExitStack() as stack:
        cortex, _ = stack.enter_context(running_noop(settings))
        routes = Routes(cortex.folder)
        gateway = stack.enter_context(running_gateway(settings, routes))
        found = {
            "taken away": _taken_away(settings, cortex, routes, gateway),
            "killed": _killed(settings, cortex, routes, gateway),
            "silent": _silent(settings, cortex, routes, gateway),
        }
    print(
        f"\nA replica of two that goes, {RATE} requests a second; seconds until the last request that noticed was due"
    )
    for name, (left, harmed, failed, longest) in found.items():
        print(
            f"  {name:12} {left:5.2f} s   {harmed:3} requests slow or failed, {failed} failed, longest {longest:.2f} s"
        )
    goals = [Goal(f"a replica that is {name} is left", left, GATE, "s") for name, (left, *_) in found.items()]
    keys = ("left_s", "harmed", "failed", "longest_s")
    return Findings(goals, {"cluster_vanishing": {name: dict(zip(keys, values)) for name, values in found.items()}})


Figures = tuple[float, int, int, float]
"""Until when requests were harmed, how many, how many of them failed, and what the longest took."""


def _taken_away(settings: Settings, cortex: Cortex, routes: Routes, gateway: Pod) -> Figures:
    """It serves on, and nobody is to ask it."""
    with _pair(settings, cortex, routes, gateway, "away") as (first, second):
        gone = [0.0]

        def take_away() -> None:
            gone[0] = routes.write({"noop": [second.address]})

        load, instant = _under_load(gateway, take_away)
        figures = _harm(load, instant)
    lines = (first.home / "logs" / "access.log").read_text().splitlines()
    last = max(datetime.fromisoformat(json.loads(line)["ts"].replace("Z", "+00:00")).timestamp() for line in lines)
    return (max(last - gone[0], 0), *figures[1:])


def _killed(settings: Settings, cortex: Cortex, routes: Routes, gateway: Pod) -> Figures:
    """kill -9; it stays among the endpoints."""
    with _pair(settings, cortex, routes, gateway, "killed") as (first, _):
        return _harm(*_under_load(gateway, first.process.kill))


def _silent(settings: Settings, cortex: Cortex, routes: Routes, gateway: Pod) -> Figures:
    """Its address swallows what is sent there; it stays among the endpoints."""
    with _pair(settings, cortex, routes, gateway, "silent") as (_, second), _silence() as address:
        return _harm(*_under_load(gateway, lambda: routes.write({"noop": [address, second.address]})))


@contextmanager
def _pair(settings: Settings, cortex: Cortex, routes: Routes, gateway: Pod, name: str) -> Iterator[tuple[Pod, Pod]]:
    say(f"vanishing: {name}")
    with ExitStack() as stack:
        first, second = (stack.enter_context(running_replica(settings, cortex, f"{name}-{i}")) for i in (1, 2))
        for pod in (first, second):
            await_answer(Target("replica", f"{pod.url}/api-noop", BODY, EXPECTED))
        routes.write({"noop": [first.address, second.address]})
        await_answer(Target("gateway", f"{gateway.url}/noop", BODY, EXPECTED))
        yield first, second
    routes.write({})


@contextmanager
def _silence() -> Iterator[str]:
    """An address whose kernel drops what comes, as the queue of those that want to connect is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def _under_load(gateway: Pod, event: Callable[[], object]) -> tuple[Latencies, float]:
    """What became of all requests; and when it happened, in seconds after the start of the run."""
    begun: list[float] = []

    def cause() -> None:
        begun.append(time.perf_counter())
        event()

    timer = threading.Timer(BEFORE, cause)
    sender = OpenLoop(gateway.port, "/noop", may_fail=True, connections=256)
    timer.start()
    load = sender.run([Stream("load", RATE, itertools.repeat(BODY))], BEFORE + AFTER)["load"]
    timer.join()
    return load, begun[0] - load.start


def _harm(load: Latencies, instant: float) -> Figures:
    harmed = [answer for answer in load.answers if answer.status != 200 or answer.ended - answer.due > SLOW]
    last = max((answer.due - instant for answer in harmed), default=0.0)
    longest = max(answer.ended - answer.due for answer in load.answers)
    return max(last, 0), len(harmed), sum(answer.status != 200 for answer in harmed), longest
