"""What an API's requests take while another API of the server brings and loads a large model."""

from __future__ import annotations

import itertools
import json
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

from cortex_bench.machine import say
from cortex_bench.measuring import ask
from cortex_bench.models.arrival import make_models, serving
from cortex_bench.openloop import OpenLoop, Stream
from cortex_bench.servers import Cortex
from cortex_bench.suite import Findings, Goal, Settings

SIZE = 2 << 30
GATE = 1.2
"""Most that p99 may grow."""
PER_SECOND = 200
LONGEST = 300
"""Seconds that a load may take."""


def run(settings: Settings, cortex: Cortex, venv: Path, folder: Path) -> Findings:
    """A steady load, alone and while the other API gets a model that it has not had before, in turns."""
    served = folder / "large"
    # The first is not counted: it is the one that finds its worker's memory empty.
    names = [f"model-{number}" for number in range(settings.rounds + 1)]
    make_models(served, names, SIZE)
    quiet, loud, late, took = [], [], [], []
    with serving(served) as address:
        models = {"dir": f"{address}/", "cache_size": 1, "disk_cache_size": 1}
        other = cortex.deploy("large", {"type": "python", "path": "neighbour.py", "models": models})
        url = cortex.deploy("small", {"type": "python", "path": "echo.py"})
        loop = OpenLoop(cortex.port, urlsplit(url).path)
        for number, name in enumerate(names):
            alone = loop.run([_load()], settings.seconds)["load"]
            ended = Event()

            def bring(name: str = name, ended: Event = ended) -> None:
                try:
                    answer = ask(other, json.dumps({"model": name}), timeout=LONGEST)
                finally:
                    ended.set()
                if answer != {"bytes": SIZE}:
                    sys.exit(f"error: the model is {answer}, not {SIZE} bytes")

            with ThreadPoolExecutor(1) as pool:
                brought = pool.submit(bring)
                beside = loop.run([_load(ended)], LONGEST)["load"]
                brought.result()
            if number == 0:
                continue
            quiet.append(alone.percentile(0.99))
            loud.append(beside.percentile(0.99))
            late.append(max(alone.lateness(0.99), beside.lateness(0.99)))
            took.append(len(beside.seconds) / PER_SECOND)
            say(
                f"round {number}/{settings.rounds}  p99 {quiet[-1]:6.2f} ms alone, {loud[-1]:6.2f} ms during"
                f" {took[-1]:.1f} s of loading; the generator was {late[-1]:.2f} ms late"
            )
        cortex.delete("large")
        cortex.delete("small")
    ratio = statistics.median(busy / calm for busy, calm in zip(loud, quiet))
    print(f"\nAn API's requests, {PER_SECOND} a second, while another API loads {SIZE / 1e9:.1f} GB")
    print(f"  p99, alone           {statistics.median(quiet):6.2f} ms")
    print(f"  p99, while it loads  {statistics.median(loud):6.2f} ms, {ratio:.2f} times")
    print(f"  p99 of lateness      {statistics.median(late):6.2f} ms")
    figures = {"quiet_ms": quiet, "loud_ms": loud, "late_ms": late, "seconds": took, "ratio": ratio}
    return Findings([Goal("p99 while another API loads", ratio, GATE, "times")], {"neighbour": figures})


def _load(until: Event | None = None) -> Stream:
    return Stream("load", PER_SECOND, itertools.repeat("{}"), until=until)
