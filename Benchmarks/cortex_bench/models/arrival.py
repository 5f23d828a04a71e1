"""A large model from a server on this machine, against `curl -o` of the same object."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cortex_bench.machine import BENCHMARKS, say
from cortex_bench.measuring import ask
from cortex_bench.servers import Cortex
from cortex_bench.suite import Findings, Goal, Settings

SIZE = 1 << 30
GATE = 0.7
"""Least share of curl's rate."""
ROUNDS = 7


def run(settings: Settings, cortex: Cortex, venv: Path, folder: Path) -> Findings:
    """From the request that needs the model to its answer: download, checks and all; loading it takes no time.

    Each replaces the copy that it brought before, and so writes into memory that was in use just now. What a first copy
    takes is printed beside it: on a virtual machine that goes by whether the host has to find the memory first.
    """
    served = folder / "served"
    names = [f"large-{number}" for number in range(ROUNDS + 1)]
    make_models(served, names, SIZE)
    ours, theirs = [], []
    with serving(served) as address:
        models = {"dir": f"{address}/", "cache_size": 1, "disk_cache_size": 1}
        url = cortex.deploy("arrival", {"type": "python", "path": "arrival.py", "models": models})
        for number, name in enumerate(names):

            def curl(name: str = name) -> None:
                # Before its time begins; the server's removal of a model is in its own.
                (folder / "copy").unlink(missing_ok=True)
                theirs.append(_curl(f"{address}/{name}/model.bin", folder / "copy"))

            def through_cortex(name: str = name) -> None:
                ours.append(_through_cortex(url, name))

            turns = [curl, through_cortex] if number % 2 == 0 else [through_cortex, curl]
            for turn in turns:
                # What the one has left to write would slow the other down.
                os.sync()
                turn()
            told = f"round {number}/{ROUNDS}" if number else "first copies"
            say(f"{told}  curl {theirs[-1]:7,.0f} MB/s  Cortex {ours[-1]:7,.0f} MB/s")
        cortex.delete("arrival")
    share = statistics.median(mine / curl for mine, curl in zip(ours[1:], theirs[1:]))
    print(f"\nA model of {SIZE / 1e9:.2f} GB over HTTP on this machine, in place of another")
    print(f"  curl -o       {statistics.median(theirs[1:]):7,.0f} MB/s")
    print(f"  Cortex        {statistics.median(ours[1:]):7,.0f} MB/s, {share:.0%} of that, until the predictor has it")
    print(f"  first copies  {theirs[0]:7,.0f} MB/s curl, {ours[0]:7,.0f} MB/s Cortex (once)")
    goal = Goal("arrival of a model", share, GATE, "of curl's rate", at_least=True)
    found = {"curl_mb_per_s": theirs, "cortex_mb_per_s": ours, "share": share}
    return Findings([goal], {"arrival": found})


def make_models(served: Path, names: list[str], size: int) -> None:
    """One file under several names, so that each is new to the server."""
    chunk = os.urandom(16 << 20)
    first = served / names[0] / "model.bin"
    for name in names:
        (served / name).mkdir(parents=True)
    with first.open("wb") as file:
        for _ in range(size // len(chunk)):
            file.write(chunk)
        # What is written later would slow down whoever is measured then.
        os.fsync(file.fileno())
    for name in names[1:]:
        os.link(first, served / name / "model.bin")


@contextmanager
def serving(served: Path) -> Iterator[str]:
    """The address of a server of static files, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, str(BENCHMARKS / "static_server.py"), str(served)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _curl(address: str, copy: Path) -> float:
    """Megabytes a second."""
    started = time.perf_counter()
    subprocess.run(["curl", "--silent", "--show-error", "--fail", "-o", str(copy), address], check=True)
    seconds = time.perf_counter() - started
    if copy.stat().st_size != SIZE:
        sys.exit(f"error: curl brought {copy.stat().st_size} bytes of {SIZE}")
    return SIZE / 1e6 / seconds


def _through_cortex(url: str, name: str) -> float:
    """Megabytes a second."""
    started = time.perf_counter()
    answer = ask(url, json.dumps({"model": name}))
    seconds = time.perf_counter() - started
    if answer != {"bytes": SIZE}:
        sys.exit(f"error: Cortex brought {answer}, not {SIZE} bytes")
    return SIZE / 1e6 / seconds
