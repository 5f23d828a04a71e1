"""Early hand-over beside slow requests: whether one that waits in a slot waits longer than it would in the queue."""

from __future__ import annotations

import itertools
import json
import random
import statistics
from urllib.parse import urlsplit

from cortex_bench.machine import say
from cortex_bench.measuring import Target, await_answer
from cortex_bench.openloop import OpenLoop, Stream
from cortex_bench.servers import running_cortex
from cortex_bench.suite import Findings, Goal, Settings

SLOW_MS = 50
ONE_IN = 20
PROCESSES = 2
LOAD = 0.5
"""Offered, of what the processes can do at most: that many times the mean of a request."""
GATE = 1.2
"""Most of p99, as a multiple of that with a depth of 1."""
DEPTH = "CORTEX_HANDOVER_DEPTH"
"""The variable of the server: how many requests a slot may hold."""
QUICK_FIRST = 2000
"""Quick requests before each run: the depth is at its greatest when the slow ones come."""


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    rate = LOAD * PROCESSES / (SLOW_MS / 1000 / ONE_IN)
    chance = random.Random(6)
    # Shuffled, so that a slow one may come right behind another, or not for long.
    order = [SLOW_MS if number % ONE_IN == 0 else 0 for number in range(ONE_IN * 200)]
    chance.shuffle(order)
    bodies = [json.dumps({"ms": ms}) for ms in order]
    early: list[float] = []
    depth_one: list[float] = []
    for number in range(settings.rounds):
        for variables, found in (({}, early), ({DEPTH: "1"}, depth_one)):
            found.append(_measure(settings, rate, bodies, variables))
        say(f"round {number + 1}/{settings.rounds}  p99 {early[-1]:.1f} ms, {depth_one[-1]:.1f} ms with a depth of 1")
    ratio = statistics.median(ours / theirs for ours, theirs in zip(early, depth_one))
    print(
        f"\nEarly hand-over: 1 request in {ONE_IN} takes {SLOW_MS} ms, {PROCESSES} processes, {rate:.0f} req/s offered"
    )
    figures = [f"{statistics.median(each):.1f} ms" for each in (early, depth_one)]
    print(f"  p99 {figures[0]}; with a depth of 1 {figures[1]}; {ratio:.2f} times")
    record = {"early_p99_ms": early, "depth_one_p99_ms": depth_one, "ratio": ratio}
    return Findings(
        [Goal("p99 beside slow requests", ratio, GATE, "times that without hand-over")], {"handover": record}
    )


def _measure(settings: Settings, rate: float, bodies: list[str], variables: dict[str, str]) -> float:
    """p99 in milliseconds of one run on a server of its own."""
    predictor = {"type": "python", "path": "slow.py", "processes_per_replica": PROCESSES}
    with running_cortex(settings.binary, **variables) as cortex:
        url = cortex.deploy("slow", predictor)
        quick = json.dumps({"ms": 0})
        await_answer(Target("Cortex", url, quick, {"ms": 0}))
        loop = OpenLoop(cortex.port, urlsplit(url).path)
        # No request of the warm-up is slow; the run begins as an API that has only been quick so far.
        loop.run([Stream("quick", QUICK_FIRST, itertools.repeat(quick))], 1)
        return loop.run([Stream("mixed", rate, itertools.cycle(bodies))], settings.seconds)["mixed"].percentile(0.99)
