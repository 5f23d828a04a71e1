"""What clients notice of changes: an update, a rollback, more and fewer replicas, a refresh, under a steady load."""

from __future__ import annotations

import itertools
import json
import shutil
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable

from cortex_bench.machine import BENCHMARKS, say
from cortex_bench.openloop import Answer, Latencies, OpenLoop, Stream, percentile
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
"""Seconds of load before anything counts, and after each change, that belong to nothing."""
LONGEST = 60
"""Seconds that a change may take."""


@dataclass
class Window:
    """What was asked while one thing went on, in all rounds."""

    lengths: list[float] = field(default_factory=list)
    """Seconds, of each round."""
    answers: list[Answer] = field(default_factory=list)

    def add(self, found: Latencies, begin: float, end: float) -> None:
        """Takes what was due between two instants of this process's clock."""
        self.lengths.append(end - begin)
        self.answers += [each for each in found.answers if begin <= found.start + each.due < end]

    @property
    def failures(self) -> int:
        """Answers that are none."""
        return sum(answer.status != 200 for answer in self.answers)

    def percentile(self, share: float) -> float:
        """Milliseconds from when requests were due to their answers."""
        return percentile([answer.ended - answer.due for answer in self.answers], share)

    def lateness(self, share: float) -> float:
        """Milliseconds of it that the generator was late: how far the rest can be trusted."""
        return percentile([answer.sent - answer.due for answer in self.answers], share)

    @property
    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "seconds": self.lengths,
            "requests": len(self.answers),
            "failed": self.failures,
            "p50_ms": self.percentile(0.5),
            "p99_ms": self.percentile(0.99),
            "late_p99_ms": self.lateness(0.99),
        }


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    with running_cortex(settings.binary) as cortex:
        subject = Subject(cortex)
        subject.deploy()
        windows: dict[str, Window] = {}
        for number in range(settings.rounds):
            say(f"updates: round {number + 1} of {settings.rounds}")
            _round(subject, settings.seconds, windows)
    quiet = windows.pop("quiet")
    print(f"\nChanges of an API of {REPLICAS} replicas at {_rate():.0f} requests a second ({SHARE:.0%} of all)")
    print(f"  {'':12} {'took':>7} {'requests':>9} {'failed':>7} {'p50':>9} {'p99':>9} {'p99 late':>9}  p99 to quiet")
    _print("quiet", quiet)
    goals: list[Goal] = []
    for name, window in windows.items():
        ratio = window.percentile(0.99) / quiet.percentile(0.99)
        _print(name, window, f"  {ratio:.2f} times")
        goals.append(Goal(f"requests that failed during {name}", window.failures, 0, "requests"))
        goals.append(Goal(f"p99 during {name}", ratio, RATIO_GATE, "times"))
    record = {name: window.record for name, window in {"quiet": quiet, **windows}.items()}
    return Findings(goals, {"updates": record})


def _print(name: str, window: Window, ratio: str = "") -> None:
    took = f"{statistics.median(window.lengths):5.1f} s" if ratio else ""
    print(
        f"  {name:12} {took:>7} {len(window.answers):9} {window.failures:7} {window.percentile(0.5):6.2f} ms"
        f" {window.percentile(0.99):6.2f} ms {window.lateness(0.99):6.2f} ms{ratio}"
    )


def _rate() -> float:
    return SHARE * REPLICAS * 1000 / MILLISECONDS


class Subject:
    """The API that is changed."""

    def __init__(self, cortex: Cortex) -> None:
        self.cortex = cortex
        self._replicas = REPLICAS

    def deploy(self, version: int = 1, replicas: int = REPLICAS) -> None:
        """Deploys it, and returns when that is done; what has the same version has the same workers."""
        project = self.cortex.folder / NAME
        project.mkdir(exist_ok=True)
        shutil.copy(BENCHMARKS / "predictors" / "slow.py", project)
        self._replicas = replicas
        predictor = {"type": "python", "path": "slow.py", "env": {"VERSION": str(version)}}
        autoscaling = {"min_replicas": replicas, "max_replicas": replicas}
        api = {"name": NAME, "kind": "RealtimeAPI", "predictor": predictor, "autoscaling": autoscaling}
        (project / "cortex.yaml").write_text(json.dumps([api], indent=2))
        self._change("deploy", str(project / "cortex.yaml"), "--no-wait")

    def changes(self) -> dict[str, Callable[[], None]]:
        """What is done to it, each from where the one before has led."""
        return {
            "update": lambda: self.deploy(version=2),
            "rollback": lambda: self._change("rollback", NAME),
            "scale-up": lambda: self.deploy(replicas=2 * REPLICAS),
            "scale-down": self.deploy,
            "refresh": lambda: self._change("refresh", NAME),
        }

    def _change(self, *command: str) -> None:
        """Has it done, and waits until there are only replicas of what it asks for."""
        self.cortex.run(*command)
        end = time.perf_counter() + LONGEST
        while time.perf_counter() < end:
            # Not by the command line, whose processes would be a load of their own.
            api = self.cortex.ask(f"/v1/apis/{NAME}")
            status = api["status"]
            states = [replica["state"] for replica in status.get("replicas", [])]
            if states == ["ready"] * self._replicas and status["serving_version"] == api["deployment"]["version"]:
                return
            time.sleep(0.05)
        sys.exit(f"error: cortex {' '.join(command)}: not done after {LONGEST} s: {status}")


def _round(subject: Subject, seconds: float, windows: dict[str, Window]) -> None:
    """One after the other, each after some quiet seconds, all under one load that never stops."""
    spans: list[tuple[str, float, float]] = []
    failure: list[BaseException] = []
    ended = threading.Event()

    def span(name: str, do: Callable[[], None]) -> None:
        began = time.perf_counter()
        do()
        spans.append((name, began, time.perf_counter()))

    def work() -> None:
        try:
            time.sleep(SETTLING)
            for name, change in subject.changes().items():
                span("quiet", lambda: time.sleep(seconds))
                span(name, change)
                time.sleep(SETTLING)
        except BaseException as error:
            failure.append(error)
        finally:
            ended.set()

    worker = threading.Thread(target=work)
    worker.start()
    load = OpenLoop(subject.cortex.port, f"/{NAME}", may_fail=True)
    stream = Stream("load", _rate(), itertools.repeat(json.dumps({"ms": MILLISECONDS})), until=ended)
    found = load.run([stream], 3600)["load"]
    worker.join()
    if failure:
        raise failure[0]
    for name, began, end in spans:
        windows.setdefault(name, Window()).add(found, began, end)
