"""A thousand models with room for fifty: what they take of memory, and whether misses slow hits down."""

from __future__ import annotations

import itertools
import json
import os
import random
import statistics
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cortex_bench.machine import BENCHMARKS, resident, say
from cortex_bench.measuring import Target, ask, measure
from cortex_bench.openloop import OpenLoop, Stream
from cortex_bench.servers import Cortex
from cortex_bench.suite import Findings, Goal, Settings

WIDTH = 1024
"""A model is a matrix of that width: 4 MB."""
ROWS = 32
"""Inputs of one request, so that a prediction takes longer than the generator is late."""
MODELS = 1000
CACHE = 50
FEW = 200
"""Models on disk where misses are to be downloads too."""
HOT = 20
"""Models that are asked for all the time, and so always in memory."""
ACCESSES = 1000
THREADS = 8
"""Of the worker: a miss occupies one."""
MISSES_PER_SECOND = 5
LOAD = 0.3
"""Offered hits, of what the API can do."""
MEMORY_GATE = 1.15
LATENCY_GATE = 1.5


def run(settings: Settings, cortex: Cortex, venv: Path, folder: Path) -> Findings:
    """Both figures, from one API; and from another with as many models as have room, without a cache."""
    names = [f"m{number:04}" for number in range(MODELS)]
    _make_models(venv, folder, names)
    fifty = _deploy(cortex, "fifty", str(folder / "fifty"), {})
    for _ in range(3):
        held = _access(fifty, names[:CACHE])
    cortex.delete("fifty")

    place = str(folder / "thousand")
    thousand = _deploy(cortex, "thousand", place, {"cache_size": CACHE, "disk_cache_size": MODELS})
    chance = random.Random(4)
    reached = _access(thousand, [chance.choice(names) for _ in range(ACCESSES)])
    # Each miss then loads what is on disk already, as in an API that has run for a while.
    _access(thousand, names)
    latency = _compare(settings, cortex, thousand, names, 2 * settings.rounds + 1)
    cortex.delete("thousand")
    few = _deploy(cortex, "few", place, {"cache_size": CACHE, "disk_cache_size": FEW})
    copied = _compare(settings, cortex, few, names, settings.rounds)
    cortex.delete("few")

    memory_ratio = reached.most / held.last
    print(f"\n{MODELS} models of {WIDTH * WIDTH * 4 / 1e6:.0f} MB, cache_size {CACHE}, {THREADS} threads")
    lines = {
        f"memory of {CACHE} loaded models": f"{held.last / 1e6:6.0f} MB",
        f"the same, {ACCESSES} random accesses": f"{reached.most / 1e6:6.0f} MB at most, {memory_ratio:.2f} times",
        "capacity for hits": f"{latency.capacity:6,.0f} req/s, of which {LOAD:.0%} are offered",
        "p99 of hits, without misses": f"{latency.quiet_ms:6.2f} ms",
        f"p99 of hits, {MISSES_PER_SECOND} misses a second": f"{latency.busy_ms:6.2f} ms, {latency.ratio:.2f} times",
        "p50 of those misses": f"{latency.miss_ms:6.2f} ms",
        f"the same, {FEW} on disk, no misses": f"{copied.quiet_ms:6.2f} ms",
        f"the same, {FEW} on disk, misses": f"{copied.busy_ms:6.2f} ms, {copied.ratio:.2f} times",
        "p99 of the generator's lateness": f"{latency.late_ms:6.2f} ms",
    }
    for what, figure in lines.items():
        print(f"  {what:34} {figure}")
    goals = [
        Goal(f"memory of {MODELS} models", memory_ratio, MEMORY_GATE, "times"),
        Goal("p99 of hits beside misses", latency.ratio, LATENCY_GATE, "times"),
    ]
    memory = {"fifty_bytes": held.last, "most_bytes": reached.most, "last_bytes": reached.last}
    return Findings(goals, {"many": {"memory": memory, "latency": vars(latency), "copied": vars(copied)}})


@dataclass
class Memory:
    """What a worker held."""

    most: int
    last: int


@dataclass
class Latency:
    """What hits took; medians of the rounds."""

    capacity: float
    quiet_ms: float
    busy_ms: float
    miss_ms: float
    late_ms: float
    """p99 of how late the generator was: what of the figures may be its own."""
    ratio: float


def _make_models(venv: Path, folder: Path, names: list[str]) -> None:
    """One file under many names: what it takes in memory is that of many files."""
    model = folder / "dense.onnx"
    python = venv / "bin" / "python"
    subprocess.run([python, BENCHMARKS / "export_models.py", "dense", str(WIDTH), model], check=True)
    for place, some in (("thousand", names), ("fifty", names[:CACHE])):
        for name in some:
            (folder / place / name).mkdir(parents=True)
            os.link(model, folder / place / name / "model.onnx")


def _deploy(cortex: Cortex, name: str, models: str, limits: dict[str, int]) -> str:
    predictor = {
        "type": "onnx",
        "path": "many.py",
        "models": {"dir": models, **limits},
        "config": {"width": WIDTH, "rows": ROWS},
        "threads_per_process": THREADS,
        # The slots are the parallelism; threads of each session's own would fight over the same cores.
        "env": {"OMP_NUM_THREADS": "1"},
    }
    return cortex.deploy(name, predictor)


def _body(name: str) -> str:
    return json.dumps({"model": name})


def _access(url: str, names: list[str]) -> Memory:
    """Asks for each model, four at a time; looks at the worker's memory all the while."""
    pid = int(ask(url, _body(names[0]))["pid"])
    with _watched(pid) as seen, ThreadPoolExecutor(4) as clients:
        for _ in clients.map(lambda name: ask(url, _body(name)), names):
            pass
    return Memory(max(seen), resident(pid))


@contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """A process's memory, looked at ten times a second."""
    seen = [resident(pid)]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            seen.append(resident(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
        seen.append(resident(pid))


def _compare(settings: Settings, cortex: Cortex, url: str, names: list[str], rounds: int) -> Latency:
    """Hits at a steady rate, alone and beside misses, in turns.

    The p99 of some seconds goes by whatever the machine did in them: only the median of many rounds is steady.
    """
    hot = [_body(name) for name in names[:HOT]]
    # Each is asked for again only once all others have been: by then it is long gone.
    cold = itertools.cycle([_body(name) for name in names[HOT:]])
    for body in hot:
        ask(url, body)
    capacity = _capacity(settings, url, hot)
    rate = capacity * LOAD
    loop = OpenLoop(cortex.port, urlsplit(url).path)
    quiet, busy, misses, late = [], [], [], []
    for number in range(rounds):
        hits = Stream("hits", rate, itertools.cycle(hot))
        alone = loop.run([hits], settings.seconds)
        beside = loop.run([hits, Stream("misses", MISSES_PER_SECOND, cold)], settings.seconds)
        quiet.append(alone["hits"].percentile(0.99))
        busy.append(beside["hits"].percentile(0.99))
        misses.append(beside["misses"].percentile(0.5))
        late.append(max(run["hits"].lateness(0.99) for run in (alone, beside)))
        say(
            f"round {number + 1}/{rounds}  p99 of hits {quiet[-1]:6.2f} ms alone,"
            f" {busy[-1]:6.2f} ms beside misses; the generator was {late[-1]:.2f} ms late"
        )
    ratio = statistics.median(loud / calm for loud, calm in zip(busy, quiet))
    return Latency(
        capacity,
        statistics.median(quiet),
        statistics.median(busy),
        statistics.median(misses),
        statistics.median(late),
        ratio,
    )


def _capacity(settings: Settings, url: str, hot: list[str]) -> float:
    """Hits a second of as many clients as keep all slots busy, each with a model of its own."""
    clients = 2 * THREADS

    def ask_for(body: str) -> float:
        return measure(settings.wrk, Target("hits", url, body, None), 1, settings.seconds).requests_per_second

    with ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(ask_for, hot[:clients]))
