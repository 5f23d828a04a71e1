"""Rounds of closed-loop load with wrk, and ratios between targets that take turns."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from typing import Any

from cortex_bench.machine import BENCHMARKS, say

JSON, BINARY = "application/json", "application/octet-stream"


@dataclass(frozen=True)
class Round:
    """What wrk measured once."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Target:
    """Something to ask."""

    name: str
    url: str
    body: str | int
    """JSON, or a number of bytes."""
    expected: Any
    """What it must answer to `body`, as `ask` returns it."""


def ask(url: str, body: str | int, timeout: float = 120) -> Any:
    """One answer: what the JSON means, or the text; to a number, which stands for that many bytes, how many came."""
    data, kind = (b"x" * body, BINARY) if isinstance(body, int) else (body.encode(), JSON)
    request = urllib.request.Request(url, data=data, headers={"Content-Type": kind}, method="POST")
    with urllib.request.urlopen(request, timeout=timeout) as response:
        if isinstance(body, int):
            return len(response.read())
        is_json = response.headers.get_content_type() == JSON
        return json.load(response) if is_json else response.read().decode()


def await_answer(target: Target, process: subprocess.Popen[bytes] | None = None) -> None:
    """Waits until the target answers as it should."""
    end = time.monotonic() + 60
    while True:
        try:
            answer = ask(target.url, target.body)
            if answer == target.expected:
                return
            sys.exit(f"error: {target.name} answers {answer}")
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            ended = process is not None and process.poll() is not None
            if ended or time.monotonic() > end:
                sys.exit(f"error: {target.name} does not answer: {error}")
            time.sleep(0.05)


def measure(wrk: str, target: Target, connections: int, seconds: float) -> Round:
    """One round; a single failed answer spoils it."""
    script = str(BENCHMARKS / "post.lua")
    body = [str(target.body), BINARY] if isinstance(target.body, int) else [target.body, JSON]
    done = subprocess.run(
        [wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", script, target.url, "--", *body],
        capture_output=True,
        text=True,
        check=True,
    )
    match = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    if match is None:
        sys.exit(f"error: wrk gave no result for {target.name}:\n{done.stdout}\n{done.stderr}")
    result = json.loads(match[1])
    if result["failures"] or not result["requests"]:
        sys.exit(f"error: {target.name}: {result['failures']} of {result['requests']} requests failed")
    return Round(result["requests"] / (result["microseconds"] / 1e6), result["p50"] / 1000, result["p99"] / 1000)


Results = dict[int, dict[str, list[Round]]]
"""By connections and by target's name."""


def take_turns(wrk: str, targets: list[Target], connections: list[int], rounds: int, seconds: float) -> Results:
    """All rounds. The targets take turns, since what slows one down should slow the others down too."""
    for target in targets:  # caches warm, adaptive parts settle
        measure(wrk, target, 32, 1)
    results: Results = {count: {target.name: [] for target in targets} for count in connections}
    for number in range(rounds):
        for count, by_target in results.items():
            for target in targets:
                measured = measure(wrk, target, count, seconds)
                by_target[target.name].append(measured)
                say(
                    f"round {number + 1}/{rounds}  {count:2} connections  {target.name:24}"
                    f" {measured.requests_per_second:>9,.0f} req/s"
                )
    return results


def median(rounds: list[Round], key: str) -> float:
    """The middle of all rounds."""
    return float(statistics.median(asdict(measured)[key] for measured in rounds))


def ratio(ours: list[Round], theirs: list[Round]) -> float:
    """How many times as many requests a second. Per round, so that a slow one counts on both sides."""
    return statistics.median(a.requests_per_second / b.requests_per_second for a, b in zip(ours, theirs))


def print_rounds(results: Results, first: str) -> dict[str, dict[str, float]]:
    """Prints the tables; returns the first target's ratio to each other by connections."""
    ratios: dict[str, dict[str, float]] = {}
    for connections, by_target in results.items():
        print(f"\n{connections} connection{'s' if connections > 1 else ''}")
        print(f"  {'':24} {'req/s':>10} {'p50 ms':>9} {'p99 ms':>9}   {first} is")
        ratios[str(connections)] = {}
        for name, rounds in by_target.items():
            times = ratio(by_target[first], rounds)
            ratios[str(connections)][name] = times
            figures = [median(rounds, key) for key in ("requests_per_second", "p50_ms", "p99_ms")]
            faster = "" if name == first else f"{times:.2f} times as fast"
            print(f"  {name:24} {figures[0]:>10,.0f} {figures[1]:>9.2f} {figures[2]:>9.2f}   {faster}")
    return ratios


def record_rounds(results: Results) -> dict[str, Any]:
    """Every round, for JSON."""
    return {
        str(connections): {name: [asdict(one) for one in rounds] for name, rounds in by_target.items()}
        for connections, by_target in results.items()
    }
