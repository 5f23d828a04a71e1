"""What a cluster's gateway adds: a no-op behind its replica's own port, and behind a gateway in front of it."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cortex_bench.gateway.noop import BODY, EXPECTED, running_noop
from cortex_bench.machine import say
from cortex_bench.measuring import Target, await_answer, print_rounds, record_rounds, take_turns
from cortex_bench.servers import Cortex, running
from cortex_bench.suite import Findings, Goal, Settings

CONNECTIONS = [1, 8, 32]
ADDED_GATE = 0.5
"""Milliseconds at the median that a gateway may add, at 1 connection."""
SERVER, REPLICA, GATEWAY = "cortex server", "replica", "gateway, replica"


@contextmanager
def running_pod(settings: Settings, folder: Path, name: str, *arguments: str, **variables: str) -> Iterator[str]:
    """A process of a pod; its address."""
    log = folder / f"{name}.log"
    own = {"CORTEX_HOME": str(folder / name), "CORTEX_HOST": "127.0.0.1", "CORTEX_PORT": "0", "CORTEX_ADMIN_PORT": "0"}
    own |= {"CORTEX_DRAIN_DELAY": "0s", "CORTEX_TERMINATION_LOG": str(folder / f"{name}.termination")}
    with running([str(settings.binary), *arguments], own | variables, log) as process:
        end = time.monotonic() + 60
        while True:
            for line in log.read_text().splitlines() if log.exists() else []:
                if '"message":"serving"' in line:
                    yield json.loads(line)["data"]
                    return
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"error: {name} does not serve: {log.read_text()}")
            time.sleep(0.02)


def replica_settings(cortex: Cortex, folder: Path) -> dict[str, str]:
    """The API that a local server has, told as a pod is told it."""
    home = cortex.folder / "home"
    archive = next((home / "projects").glob("*.tar"))
    projects = folder / "replica" / "projects"
    projects.mkdir(parents=True)
    (projects / archive.name).write_bytes(archive.read_bytes())
    spec: dict[str, Any] = {
        "name": "noop",
        "kind": "RealtimeAPI",
        "predictor": {"type": "python", "path": "predictor.py"},
    }
    deployment = {"id": "noop", "version": 1, "spec": spec, "project": archive.stem, "generation": 0, "wasLive": False}
    path = folder / "deployment.json"
    path.write_text(json.dumps(deployment))
    # Environments are those of the server.
    return {"CORTEX_DEPLOYMENT_FILE": str(path), "CORTEX_TOOL_HOME": str(home)}


def route_file(folder: Path, replica: str) -> Path:
    """The route of a gateway to one replica."""
    route = {
        "version": 1,
        "networking": {"endpoint": "/noop"},
        "maxReplicaConcurrency": 1024,
        "isAsleep": False,
    }
    path = folder / "routes.json"
    endpoints = [replica.removeprefix("http://")]
    path.write_text(json.dumps({"apis": [{"name": "noop", "route": route, "endpoints": endpoints}]}))
    return path


def run(settings: Settings) -> Findings:
    """Measures and prints."""
    with ExitStack() as stack:
        say("cluster: starting a server, a replica and a gateway")
        cortex, server = stack.enter_context(running_noop(settings))
        folder = cortex.folder
        variables = replica_settings(cortex, folder)
        replica = stack.enter_context(running_pod(settings, folder, "replica", "replica", "run", **variables))
        direct = Target(REPLICA, f"{replica}/api-noop", BODY, EXPECTED)
        await_answer(direct)
        routes = str(route_file(folder, replica))
        address = stack.enter_context(running_pod(settings, folder, "gateway", "gateway", "--routes", routes))
        through = Target(GATEWAY, f"{address}/noop", BODY, EXPECTED)
        await_answer(through)
        targets = [direct, through, Target(SERVER, server.url, server.body, server.expected)]
        results = take_turns(settings.wrk, targets, CONNECTIONS, settings.rounds, settings.seconds)

    print("\nA gateway in front of a replica, no-op JSON predictor")
    print_rounds(results, GATEWAY)
    added = {
        connections: {
            key: statistics.median(
                getattr(ours, key) - getattr(theirs, key)
                for ours, theirs in zip(by_target[GATEWAY], by_target[REPLICA])
            )
            for key in ("p50_ms", "p99_ms")
        }
        for connections, by_target in results.items()
    }
    print()
    for connections, figures in added.items():
        print(
            f"added at {connections:2} connection{'s' if connections > 1 else ' '}: "
            f"{figures['p50_ms']:.2f} ms at the median, {figures['p99_ms']:.2f} ms at p99"
        )
    goal = Goal("added by the gateway, median, 1 connection", added[1]["p50_ms"], ADDED_GATE, "ms")
    record = {"rounds": record_rounds(results), "added_ms": {str(count): found for count, found in added.items()}}
    return Findings([goal], {"cluster": record})
