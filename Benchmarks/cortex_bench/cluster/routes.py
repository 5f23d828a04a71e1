"""What many routes cost a gateway: memory while they and their replicas change, and what a request takes among them."""

from __future__ import annotations

import statistics
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack

from cortex_bench.cluster.pods import Pod, Routes, running_gateway, running_replica
from cortex_bench.gateway.noop import BODY, EXPECTED, running_noop
from cortex_bench.machine import resident, say
from cortex_bench.measuring import Target, await_answer, measure
from cortex_bench.suite import Findings, Goal, Settings

COUNT = 2000
RENAMED = 200
"""APIs that go with each change, as many others come."""
CHANGES = 40
SETTLED = 10
"""Changes after which memory is to stay as it is."""
GATE = 1.1


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    with ExitStack() as stack:
        cortex, _ = stack.enter_context(running_noop(settings))
        replica = stack.enter_context(running_replica(settings, cortex))
        await_answer(Target("replica", f"{replica.url}/api-noop", BODY, EXPECTED))
        routes = Routes(cortex.folder)
        routes.write({"noop": [replica.address]})
        gateway = stack.enter_context(running_gateway(settings, routes))
        target = Target("gateway", f"{gateway.url}/noop", BODY, EXPECTED)
        await_answer(target)
        alone = [measure(settings.wrk, target, 1, settings.seconds).p50_ms for _ in range(settings.rounds)]
        before = resident(gateway.process.pid)
        began = time.monotonic()
        _change(routes, gateway, replica, 0)
        taken = time.monotonic() - began
        memory = []
        for number in range(1, CHANGES + 1):
            _change(routes, gateway, replica, number)
            # The one replica is of one API, so the others' routes are asked for their readiness only.
            await_answer(target)
            memory.append(resident(gateway.process.pid))
            if number % SETTLED == 0:
                say(f"routes: {number} of {CHANGES} changes, {memory[-1] / 1e6:.0f} MB")
        among = [measure(settings.wrk, target, 1, settings.seconds).p50_ms for _ in range(settings.rounds)]
    latencies = {"one route": statistics.median(alone), "2,000 routes": statistics.median(among)}
    print(f"\n{COUNT:,} routes, of which all change their replicas and {RENAMED} go, {CHANGES} times")
    print(f"  known {taken:.1f} s after they were told, all at once")
    first, later = max(memory[:SETTLED]) / 1e6, max(memory[SETTLED:]) / 1e6
    print(f"  memory: {before / 1e6:.0f} MB with one route, {memory[0] / 1e6:.0f} MB with all after the first change,")
    print(f"  at most {first:.0f} MB in the first {SETTLED} changes, {later:.0f} MB after")
    print("  p50 of a request: " + ", ".join(f"{value:.2f} ms with {name}" for name, value in latencies.items()))
    goal = Goal(
        f"memory after {CHANGES} changes of many routes", later / first, GATE, "times that of the first changes"
    )
    record = {"known_s": taken, "before": before, "memory": memory, "p50_ms": latencies}
    return Findings([goal], {"cluster_routes": record})


def _names(number: int) -> list[str]:
    """The APIs that there are after a change."""
    first = number * RENAMED
    return [f"api-{index}" for index in range(first, first + COUNT)]


def _change(routes: Routes, gateway: Pod, replica: Pod, number: int) -> None:
    """Each API has its replica, and another that comes and goes; returns when all is known."""
    names = _names(number)
    endpoints = {"noop": [replica.address]}
    # Nobody listens there: a request goes to the other one.
    endpoints |= {name: [replica.address, f"127.1.{number}.{index % 250 + 1}:1"] for index, name in enumerate(names)}
    routes.write(endpoints)
    end = time.monotonic() + 120
    # The last one of the file is made known last.
    url = f"{gateway.url}/{names[-1]}/readyz"
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=60):
                return
        except urllib.error.HTTPError:
            time.sleep(0.02)
    sys.exit(f"error: {url} is not known after two minutes")
