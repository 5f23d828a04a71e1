"""What clients notice of changes: an update, a rollback, more and fewer replicas, a refresh, under a steady load."""

from __future__ import annotations

import itertools
import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any, Callable

from cortex_bench.machine import BENCHMARKS
from cortex_bench.openloop import Latencies, OpenLoop, Stream
from cortex_bench.servers import Cortex, running_cortex
from cortex_bench.suite import Findings, Goal, Settings

NAME = "changed"
REPLICAS = 2
MILLISECONDS = 10
"""Of one prediction."""
SHARE = 0.3
"""Of what the replicas could do: what is asked of them."""
RATIO_GATE = 2.0
"""The 99th percentile during a change, to that of the quiet API."""
SETTLING = 1.0
"""Seconds of load before and after each change."""


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    with running_cortex(settings.binary) as cortex:
        _deploy(cortex, version=1)
        load = OpenLoop(cortex.port, f"/{NAME}", may_fail=True)
        _measure(load, 2)  # imports and caches of everybody
        quiet = _measure(load, max(settings.seconds, 5))
        before = quiet.percentile(0.99)
        per_second = _rate()
        print(f"\nChanges of an API of {REPLICAS} replicas at {per_second:.0f} requests a second ({SHARE:.0%} of all)")
        print(f"  {'':12} {'took':>7} {'requests':>9} {'failed':>7} {'p99':>9}")
        print(f"  {'quiet':12} {'':7} {len(quiet.answers):9} {quiet.failures:7} {before:6.2f} ms")
        goals: list[Goal] = []
        record: dict[str, Any] = {"quiet_p99_ms": before}
        for name, change in _changes(cortex).items():
            seconds, found = _during(load, change)
            p99 = found.percentile(0.99)
            print(
                f"  {name:12} {seconds:5.1f} s {len(found.answers):9} {found.failures:7} {p99:6.2f} ms"
                f"   {p99 / before:.2f} times"
            )
            goals.append(Goal(f"requests that failed during {name}", found.failures, 0, "requests"))
            goals.append(Goal(f"p99 during {name}", p99 / before, RATIO_GATE, "times"))
            record[name] = {"seconds": seconds, "requests": len(found.answers), "p99_ms": p99, "failed": found.failures}
    return Findings(goals, {"updates": record})


def _rate() -> float:
    return SHARE * REPLICAS * 1000 / MILLISECONDS


def _deploy(cortex: Cortex, version: int, replicas: int = REPLICAS) -> None:
    """Deploys, and returns when it is live."""
    project = cortex.folder / NAME
    project.mkdir(exist_ok=True)
    shutil.copy(BENCHMARKS / "predictors" / "slow.py", project)
    predictor = {"type": "python", "path": "slow.py", "env": {"VERSION": str(version)}}
    autoscaling = {"min_replicas": replicas, "max_replicas": replicas}
    api = {"name": NAME, "kind": "RealtimeAPI", "predictor": predictor, "autoscaling": autoscaling}
    (project / "cortex.yaml").write_text(json.dumps([api], indent=2))
    cortex.run("deploy", str(Path(project) / "cortex.yaml"), "--wait")


def _changes(cortex: Cortex) -> dict[str, Callable[[], None]]:
    """What is done, each from where the one before has led; each returns when it has been done."""
    return {
        "update": lambda: _await_replicas(cortex, lambda: _deploy(cortex, version=2)),
        "rollback": lambda: _await_replicas(cortex, lambda: cortex.run("rollback", NAME)),
        "scale-up": lambda: _await_replicas(cortex, lambda: _deploy(cortex, 1, replicas=2 * REPLICAS), 2 * REPLICAS),
        "scale-down": lambda: _await_replicas(cortex, lambda: _deploy(cortex, 1)),
        "refresh": lambda: _await_replicas(cortex, lambda: cortex.run("refresh", NAME)),
    }


def _await_replicas(cortex: Cortex, change: Callable[[], object], replicas: int = REPLICAS) -> None:
    """Does it, and waits until there are only replicas of what it asks for."""
    change()
    while True:
        api = json.loads(cortex.run("get", NAME, "-o", "json"))[0]
        status = api["status"]
        states = [replica["state"] for replica in status.get("replicas", [])]
        if states == ["ready"] * replicas and status["serving_version"] == api["deployment"]["version"]:
            return
        time.sleep(0.2)


def _stream() -> Stream:
    return Stream("load", _rate(), itertools.repeat(json.dumps({"ms": MILLISECONDS})))


def _measure(load: OpenLoop, seconds: float) -> Latencies:
    return load.run([_stream()], seconds)["load"]


def _during(load: OpenLoop, change: Callable[[], None]) -> tuple[float, Latencies]:
    """How long a change takes, and what the requests take that come meanwhile."""
    took: list[float] = []
    ended = threading.Event()

    def work() -> None:
        try:
            time.sleep(SETTLING)
            began = time.perf_counter()
            change()
            took.append(time.perf_counter() - began)
            time.sleep(SETTLING)
        finally:
            ended.set()

    worker = threading.Thread(target=work)
    worker.start()
    found = Latencies()
    # A second at a time, as nobody knows how many it takes.
    while not ended.is_set():
        piece = _measure(load, 1)
        found.seconds += piece.seconds
        found.answers += piece.answers
        found.failures += piece.failures
    worker.join()
    return took[0], found
