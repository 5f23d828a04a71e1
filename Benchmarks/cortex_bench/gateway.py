"""A no-op JSON handler behind Cortex and behind FastAPI: what a request costs before any model is involved."""

from __future__ import annotations

from contextlib import ExitStack

from cortex_bench.machine import BENCHMARKS, package_versions, prepare_venv, resident, say
from cortex_bench.measuring import Target, await_answer, print_rounds, record_rounds, take_turns
from cortex_bench.servers import running_cortex, running_fastapi
from cortex_bench.suite import Findings, Goal, Settings

GATES = {32: 6.0, 1: 2.2}
"""Least ratio to FastAPI's `def` handler, by connections."""
RSS_GATE = 80_000_000
"""Most bytes that `cortex server` alone may keep in memory."""
BODY = '{"n": 41}'
EXPECTED = {"n": 42}
PEERS = {"FastAPI, def": "/def", "FastAPI, async def": "/async"}


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    venv = prepare_venv("bench", BENCHMARKS / "requirements.txt")
    used = package_versions(venv / "bin" / "python", "fastapi", "uvicorn", "starlette", "uvloop", "httptools")
    with ExitStack() as stack:
        say("starting both servers")
        cortex = stack.enter_context(running_cortex(settings.binary))
        cortex.run("deploy", str(BENCHMARKS / "noop" / "cortex.yaml"), "--wait")
        target = Target("Cortex", cortex.url("noop"), BODY, EXPECTED)
        await_answer(target)
        idle = resident(cortex.pid)
        peers = stack.enter_context(running_fastapi(venv, "fastapi_app:app", PEERS, BODY, EXPECTED))
        results = take_turns(settings.wrk, [target, *peers], list(GATES), settings.rounds, settings.seconds)
        loaded = resident(cortex.pid)

    print("\nNo-op JSON predictor")
    for name, value in used.items():
        print(f"  {name:10} {value}")
    ratios = print_rounds(results, "Cortex")
    print(f"\ncortex server alone: {idle / 1e6:.0f} MB idle, {loaded / 1e6:.0f} MB after the load")
    goals = [
        Goal(f"{connections} connections", ratios[str(connections)]["FastAPI, def"], gate, "times", at_least=True)
        for connections, gate in GATES.items()
    ]
    goals.append(Goal("memory of cortex server", max(idle, loaded) / 1e6, RSS_GATE / 1e6, "MB"))
    memory = {"idle": idle, "loaded": loaded}
    record = {"versions": used, "rounds": record_rounds(results), "ratios": ratios, "server_rss_bytes": memory}
    return Findings(goals, {"gateway": record})
