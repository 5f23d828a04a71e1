"""A megabyte in, a megabyte out: what the bytes of a request cost."""

from __future__ import annotations

from contextlib import ExitStack

from cortex_bench.machine import BENCHMARKS, prepare_venv
from cortex_bench.measuring import Target, await_answer, print_rounds, record_rounds, take_turns
from cortex_bench.servers import running_cortex, running_fastapi
from cortex_bench.suite import Findings, Goal, Settings

SIZE = 1_000_000
CONNECTIONS = 8
GATE = 1.5
"""Least ratio to FastAPI's `def` handler."""
DEF = "FastAPI, def"
PEERS = {DEF: "/def", "FastAPI, async def": "/async"}


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    venv = prepare_venv("bench", BENCHMARKS / "requirements.txt")
    with ExitStack() as stack:
        cortex = stack.enter_context(running_cortex(settings.binary))
        target = Target("Cortex", cortex.deploy("echo", {"type": "python", "path": "echo.py"}), SIZE, SIZE)
        await_answer(target)
        peers = stack.enter_context(running_fastapi(venv, "fastapi_echo:app", PEERS, SIZE, SIZE))
        results = take_turns(settings.wrk, [target, *peers], [CONNECTIONS], settings.rounds, settings.seconds)
    print("\n1 MB in, 1 MB out")
    ratios = print_rounds(results, "Cortex")
    goals = [Goal("1 MB in, 1 MB out", ratios[str(CONNECTIONS)][DEF], GATE, "times", at_least=True)]
    return Findings(goals, {"bodies": {"rounds": record_rounds(results), "ratios": ratios}})
