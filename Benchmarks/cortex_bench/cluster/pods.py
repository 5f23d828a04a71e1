"""Processes of a cluster's pods, run plainly: replicas of the no-op, and gateways that follow a file."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortex_bench.servers import Cortex, running
from cortex_bench.suite import Settings


@dataclass(frozen=True)
class Pod:
    """A process that serves."""

    home: Path
    address: str
    """`ip:port` of its data port."""
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.address}"

    @property
    def port(self) -> int:
        """Of its data."""
        return int(self.address.rpartition(":")[2])


@contextmanager
def running_pod(settings: Settings, folder: Path, name: str, *arguments: str, **variables: str) -> Iterator[Pod]:
    """One of them, which is gone afterwards."""
    log = folder / f"{name}.log"
    home = folder / name
    own = {"CORTEX_HOME": str(home), "CORTEX_HOST": "127.0.0.1", "CORTEX_PORT": "0", "CORTEX_ADMIN_PORT": "0"}
    own |= {"CORTEX_DRAIN_DELAY": "0s", "CORTEX_TERMINATION_LOG": str(folder / f"{name}.termination")}
    with running([str(settings.binary), *arguments], own | variables, log) as process:
        end = time.monotonic() + 60
        while True:
            for line in log.read_text().splitlines() if log.exists() else []:
                if '"message":"serving"' in line:
                    yield Pod(home, json.loads(line)["data"].removeprefix("http://"), process)
                    return
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"error: {name} does not serve: {log.read_text()}")
            time.sleep(0.02)


@contextmanager
def running_replica(settings: Settings, cortex: Cortex, name: str = "replica") -> Iterator[Pod]:
    """A replica of the no-op that a local server has, told of it as a pod is."""
    folder, home = cortex.folder, cortex.folder / "home"
    archive = next((home / "projects").glob("*.tar"))
    projects = folder / name / "projects"
    projects.mkdir(parents=True)
    (projects / archive.name).write_bytes(archive.read_bytes())
    spec: dict[str, Any] = {
        "name": "noop",
        "kind": "RealtimeAPI",
        "predictor": {"type": "python", "path": "predictor.py"},
    }
    deployment = {"id": "noop", "version": 1, "spec": spec, "project": archive.stem, "generation": 0, "wasLive": False}
    path = folder / f"{name}.json"
    path.write_text(json.dumps(deployment))
    # Environments are those of the server.
    variables = {"CORTEX_DEPLOYMENT_FILE": str(path), "CORTEX_TOOL_HOME": str(home)}
    with running_pod(settings, folder, name, "replica", "run", **variables) as pod:
        yield pod


class Routes:
    """The file that a gateway follows."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "routes.json"
        self.write({})

    def write(self, endpoints: dict[str, list[str]]) -> float:
        """Says where the replicas of each API are, as a whole; returns when that was, by the wall clock."""
        networking = {name: {"endpoint": f"/{name}"} for name in endpoints}
        apis = [
            {
                "name": name,
                "route": {
                    "version": 1,
                    "networking": networking[name],
                    "maxReplicaConcurrency": 1024,
                    "isAsleep": False,
                },
                "endpoints": addresses,
            }
            for name, addresses in endpoints.items()
        ]
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"apis": apis}))
        new.replace(self.path)
        return time.time()


@contextmanager
def running_gateway(settings: Settings, routes: Routes) -> Iterator[Pod]:
    """A gateway in front of them."""
    folder = routes.path.parent
    with running_pod(settings, folder, "gateway", "gateway", "--routes", str(routes.path)) as pod:
        yield pod
