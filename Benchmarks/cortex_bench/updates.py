"""What clients notice of changes under load: an update, a rollback, other counts, a refresh, other weights."""

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

from cortex_bench import waking
from cortex_bench.machine import BENCHMARKS, say
from cortex_bench.openloop import Answer, Latencies, OpenLoop, Stream, percentile
from cortex_bench.servers import Cortex, running_cortex
from cortex_bench.suite import Findings, Goal, Settings

NAME, OTHER, SPLITTER = "changed", "other", "split"
REPLICAS = 2
"""Of each API."""
MILLISECONDS = 10
"""Of one prediction."""
SHARE = 0.3
"""Of what the replicas could do: what is asked of them."""
RATIO_GATE = 2.0
"""The 99th percentile during a change, to that of the quiet API."""
SETTLING = 1.0
"""Seconds of load before anything counts, and after each change, that belong to nothing."""
SHORTEST = 2.0
"""Seconds that count for a change that is done sooner: few requests say little of a 99th percentile."""
LONGEST = 60
"""Seconds that a change may take."""


@dataclass
class Window:
    """What was asked while one thing went on, in all rounds."""

    lengths: list[float] = field(default_factory=list)
    """Seconds that it took, of each round."""
    answers: list[Answer] = field(default_factory=list)

    def add(self, found: Latencies, begin: float, end: float) -> None:
        """Takes what was due between two instants of this process's clock, or for a while from the first on."""
        self.lengths.append(end - begin)
        end = max(end, begin + SHORTEST)
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
        api = Changing(cortex)
        api.deploy()
        found = Findings(record={"updates": {}})
        title = f"Changes of an API of {REPLICAS} replicas at {_rate():.0f} requests a second ({SHARE:.0%} of all)"
        _report(title, _rounds(Load(cortex, NAME, _rate()), api.changes(), settings), found)
        split = Split(api)
        split.deploy()
        title = f"Other weights of a splitter over two such APIs at {2 * _rate():.0f} requests a second"
        _report(title, _rounds(Load(cortex, SPLITTER, 2 * _rate()), split.changes(), settings), found)
        found.add(waking.run(cortex, settings.rounds))
    return found


def _report(title: str, windows: dict[str, Window], found: Findings) -> None:
    """Prints the windows, and notes what they say of the goals."""
    quiet = windows.pop("quiet")
    print(f"\n{title}")
    print(f"  {'':12} {'took':>7} {'requests':>9} {'failed':>7} {'p50':>9} {'p99':>9} {'p99 late':>9}  p99 to quiet")
    _print("quiet", quiet)
    for name, window in windows.items():
        ratio = window.percentile(0.99) / quiet.percentile(0.99)
        _print(name, window, f"  {ratio:.2f} times")
        found.goals.append(Goal(f"requests that failed during {name}", window.failures, 0, "requests"))
        found.goals.append(Goal(f"p99 during {name}", ratio, RATIO_GATE, "times"))
    first = next(iter(windows))
    parts = {f"quiet before {first}": quiet, **windows}
    found.record["updates"] |= {name: window.record for name, window in parts.items()}


def _print(name: str, window: Window, ratio: str = "") -> None:
    took = f"{statistics.median(window.lengths):5.1f} s" if ratio else ""
    print(
        f"  {name:12} {took:>7} {len(window.answers):9} {window.failures:7} {window.percentile(0.5):6.2f} ms"
        f" {window.percentile(0.99):6.2f} ms {window.lateness(0.99):6.2f} ms{ratio}"
    )


def _rate() -> float:
    return SHARE * REPLICAS * 1000 / MILLISECONDS


class Changing:
    """The API that is changed."""

    def __init__(self, cortex: Cortex) -> None:
        self.cortex = cortex
        self._replicas = REPLICAS

    def deploy(self, version: int = 1, replicas: int = REPLICAS) -> None:
        """Deploys it, and returns when that is done; what has the same version has the same workers."""
        self._replicas = replicas
        self._change("deploy", self.project(_api(NAME, version, replicas)), "--no-wait")

    def project(self, *resources: dict[str, Any]) -> str:
        """Writes a project with these, and returns its configuration's path."""
        folder = self.cortex.folder / NAME
        folder.mkdir(exist_ok=True)
        shutil.copy(BENCHMARKS / "predictors" / "slow.py", folder)
        config = folder / "cortex.yaml"
        config.write_text(json.dumps(resources, indent=2))
        return str(config)

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


def _api(name: str, version: int = 1, replicas: int = REPLICAS) -> dict[str, Any]:
    predictor = {"type": "python", "path": "slow.py", "env": {"VERSION": str(version)}}
    autoscaling = {"min_replicas": replicas, "max_replicas": replicas}
    return {"name": name, "kind": "RealtimeAPI", "predictor": predictor, "autoscaling": autoscaling}


class Split:
    """A splitter over that API and another."""

    def __init__(self, api: Changing) -> None:
        self._api = api
        self._weights = itertools.cycle([50, 70])

    def deploy(self) -> None:
        """Deploys all of it with the next weights, and returns when these hold."""
        weight = next(self._weights)
        apis = [{"name": NAME, "weight": weight}, {"name": OTHER, "weight": 100 - weight}]
        splitter = {"name": SPLITTER, "kind": "TrafficSplitter", "apis": apis}
        config = self._api.project(_api(NAME), _api(OTHER), splitter)
        self._api.cortex.run("deploy", config, "--wait")

    def changes(self) -> dict[str, Callable[[], None]]:
        """What is done to it."""
        return {"weights": self.deploy}


@dataclass(frozen=True)
class Load:
    """What is asked all the time."""

    cortex: Cortex
    name: str
    rate: float


def _rounds(load: Load, changes: dict[str, Callable[[], None]], settings: Settings) -> dict[str, Window]:
    windows: dict[str, Window] = {}
    for number in range(settings.rounds):
        say(f"updates: {load.name}: round {number + 1} of {settings.rounds}")
        began = time.perf_counter()
        _round(load, changes, settings.seconds, windows)
        say(f"updates: {load.name}: took {time.perf_counter() - began:.1f} s")
    return windows


def _round(load: Load, changes: dict[str, Callable[[], None]], seconds: float, windows: dict[str, Window]) -> None:
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
            for name, change in changes.items():
                span("quiet", lambda: time.sleep(max(seconds, SHORTEST)))
                span(name, change)
                time.sleep(SHORTEST + SETTLING)
        except BaseException as error:
            failure.append(error)
        finally:
            ended.set()

    worker = threading.Thread(target=work)
    worker.start()
    sender = OpenLoop(load.cortex.port, f"/{load.name}", may_fail=True)
    stream = Stream("load", load.rate, itertools.repeat(json.dumps({"ms": MILLISECONDS})), until=ended)
    found = sender.run([stream], 3600)["load"]
    worker.join()
    if failure:
        raise failure[0]
    for name, began, end in spans:
        windows.setdefault(name, Window()).add(found, began, end)
