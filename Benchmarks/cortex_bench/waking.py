"""From zero replicas to an answer: what the first request of an API that sleeps waits for."""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from cortex_bench.machine import say
from cortex_bench.measuring import ask
from cortex_bench.servers import Cortex
from cortex_bench.suite import Findings, Goal

NAME = "asleep"
SECONDS_GATE = 1.0
"""Of the wait; the predictor does nothing at its own start."""
LONGEST = 60
"""Seconds that going to sleep may take."""


def run(cortex: Cortex, rounds: int) -> Findings:
    """Measures and prints; each round sleeps first."""
    url = cortex.deploy(NAME, {"type": "python", "path": "slow.py"}, autoscaling={"min_replicas": 0})
    waits = []
    for number in range(rounds):
        if number > 0:
            # A new API shows once that it comes up, and sleeps at once; one that was awake does so after minutes.
            cortex.delete(NAME)
            cortex.run("deploy", str(cortex.folder / NAME / "cortex.yaml"), "--wait")
        _await_sleep(cortex)
        began = time.perf_counter()
        ask(url, '{"ms": 0}')
        waits.append(time.perf_counter() - began)
        say(f"updates: {NAME}: round {number + 1} of {rounds}: {waits[-1] * 1000:.0f} ms from zero to an answer")
    cortex.delete(NAME)
    middle = statistics.median(waits)
    print(f"\nFrom zero to an answer  {middle:.3f} s, {min(waits):.3f} to {max(waits):.3f} s")
    return Findings([Goal("from zero to an answer", middle, SECONDS_GATE, "s")], {"waking": {"seconds": waits}})


def _await_sleep(cortex: Cortex) -> None:
    """Returns once there is no replica any more, and the API is live all the same."""
    end = time.perf_counter() + LONGEST
    while time.perf_counter() < end:
        api: dict[str, Any] = cortex.ask(f"/v1/apis/{NAME}")
        status = api["status"]
        is_served = status["serving_version"] == api["deployment"]["version"]
        if is_served and not status.get("replicas") and status["replica_counts"]["requested"] == 0:
            return
        time.sleep(0.05)
    sys.exit(f"error: {NAME} does not go to sleep within {LONGEST} s: {status}")
