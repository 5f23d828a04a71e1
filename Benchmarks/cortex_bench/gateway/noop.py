"""A no-op JSON handler behind Cortex and behind FastAPI: what a request costs before any model is involved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from cortex_bench.machine import BENCHMARKS, package_versions, prepare_venv, resident, say
from cortex_bench.measuring import Target, await_answer, median, print_rounds, record_rounds, take_turns
from cortex_bench.servers import Cortex, running_cortex, running_fastapi
from cortex_bench.suite import Findings, Goal, Settings

GATES = {32: 9.0, 1: 2.5}
"""Least ratio to FastAPI's `def` handler, by connections."""
LATENCY_GATE = 0.1
"""Most of p99 of that handler, at 32 connections."""
RSS_GATE = 80_000_000
"""Most bytes that `cortex server` alone may keep in memory."""
BODY = '{"n": 41}'
EXPECTED = {"n": 42}
DEF = "FastAPI, def"
PEERS = {DEF: "/def", "FastAPI, async def": "/async"}


@contextmanager
def running_noop(settings: Settings) -> Iterator[tuple[Cortex, Target]]:
    """Cortex with the no-op, one process, one thread."""
    with running_cortex(settings.binary) as cortex:
        cortex.run("deploy", str(BENCHMARKS / "noop" / "cortex.yaml"), "--wait")
        target = Target("Cortex", cortex.url("noop"), BODY, EXPECTED)
        await_answer(target)
        yield cortex, target


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    venv = prepare_venv("bench", BENCHMARKS / "requirements.txt")
    used = package_versions(venv / "bin" / "python", "fastapi", "uvicorn", "starlette", "uvloop", "httptools")
    with ExitStack() as stack:
        say("starting both servers")
        cortex, target = stack.enter_context(running_noop(settings))
        idle = resident(cortex.pid)
        peers = stack.enter_context(running_fastapi(venv, "fastapi_app:app", PEERS, BODY, EXPECTED))
        results = take_turns(settings.wrk, [target, *peers], list(GATES), settings.rounds, settings.seconds)
        loaded = resident(cortex.pid)

    print("\nNo-op JSON predictor")
    for name, value in used.items():
        print(f"  {name:10} {value}")
    ratios = print_rounds(results, "Cortex")
    latency = median(results[32]["Cortex"], "p99_ms") / median(results[32][DEF], "p99_ms")
    print(f"\np99 at 32 connections is {latency:.3f} times that of {DEF}")
    print(f"cortex server alone: {idle / 1e6:.0f} MB idle, {loaded / 1e6:.0f} MB after the load")
    goals = [
        Goal(f"{connections} connections", ratios[str(connections)][DEF], gate, "times", at_least=True)
        for connections, gate in GATES.items()
    ]
    goals.append(Goal("p99 at 32 connections", latency, LATENCY_GATE, "times that of FastAPI"))
    goals.append(Goal("memory of cortex server", max(idle, loaded) / 1e6, RSS_GATE / 1e6, "MB"))
    memory = {"idle": idle, "loaded": loaded}
    record = {"versions": used, "rounds": record_rounds(results), "ratios": ratios, "server_rss_bytes": memory}
    return Findings(goals, {"gateway": record})
