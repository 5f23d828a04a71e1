"""What `get_model` costs a request whose model is in memory, seen from inside and from outside."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

from cortex_bench.machine import say
from cortex_bench.measuring import Target, ask, await_answer, measure
from cortex_bench.servers import Cortex
from cortex_bench.suite import Findings, Goal, Settings

GATE_US = 20.0
MODELS = 10
REPORTS = 200
"""Requests whose predictor times `get_model` for each of the models."""


def run(settings: Settings, cortex: Cortex, venv: Path, folder: Path) -> Findings:
    """Times many first and second calls of a request; then requests with one call against requests with none."""
    names = [f"model-{number}" for number in range(MODELS)]
    for name in names:
        (folder / "lookup" / name).mkdir(parents=True)
        (folder / "lookup" / name / "model.bin").write_bytes(b"model")
    paths = [{"name": name, "model_path": str(folder / "lookup" / name)} for name in names]
    predictor = {"type": "python", "path": "lookup.py", "models": {"paths": paths}, "config": {"names": names}}
    url = cortex.deploy("lookup", predictor)
    without = Target("without get_model", url, json.dumps({"gets": 0}), {})
    with_one = Target("with get_model", url, json.dumps({"gets": 1}), {})
    for target in (without, with_one):
        await_answer(target)

    inside = _inside(url)
    added = _outside(settings, without, with_one)
    cortex.delete("lookup")
    print(f"\nget_model of a model in memory ({MODELS} models)")
    print(f"  first in a request      {inside['first']:6.2f} µs, p99 {inside['first_p99']:.2f} µs")
    print(f"  again in it             {inside['again']:6.2f} µs")
    print(f"  added to a request      {added:6.2f} µs, seen from outside: the middle of all, 1 connection")
    goals = [
        Goal("get_model, inside", inside["first_p99"], GATE_US, "µs"),
        Goal("get_model, outside", added, GATE_US, "µs"),
    ]
    return Findings(goals, {"lookup": {"inside_us": inside, "outside_us": added}})


def _inside(url: str) -> dict[str, float]:
    """Microseconds of a call, less what the measurement costs."""
    reports = [ask(url, json.dumps({"time": True})) for _ in range(REPORTS)][REPORTS // 10 :]
    times = {key: sorted(each for report in reports for each in report[key]) for key in ("empty", "first", "again")}
    own = statistics.median(times["empty"])
    return {
        "first": (statistics.median(times["first"]) - own) / 1000,
        "first_p99": (times["first"][len(times["first"]) * 99 // 100] - own) / 1000,
        "again": (statistics.median(times["again"]) - own) / 1000,
    }


def _outside(settings: Settings, without: Target, with_one: Target) -> float:
    """Microseconds by which the middle request is longer; negative where that drowns in the noise."""
    differences = []
    for number in range(2 * settings.rounds):
        # In turns, and in the other order every other time.
        pair = [without, with_one] if number % 2 == 0 else [with_one, without]
        found = {target.name: measure(settings.wrk, target, 1, settings.seconds / 4) for target in pair}
        differences.append((found[with_one.name].p50_ms - found[without.name].p50_ms) * 1000)
        say(f"round {number + 1}/{2 * settings.rounds}  get_model adds {differences[-1]:6.2f} µs")
    return statistics.median(differences)
