"""Versions of an API, and who of them answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from blackbox.conditions import eventually
from blackbox.load import Load
from blackbox.project import API, write
from blackbox.server import Server

PREDICTOR = """
import os

class PythonPredictor:
    def __init__(self, config):
        self.version = config["version"]

    def predict(self, payload):
        return {"version": self.version, "pid": os.getpid()}
"""
BROKEN = {
    "import": "import no_such_module_of_anybody\n" + PREDICTOR,
    "syntax": "def (\n",
    "constructor": PREDICTOR.replace('self.version = config["version"]', 'raise ValueError("no weights")'),
    "exit": PREDICTOR.replace('self.version = config["version"]', "os._exit(3)"),
    # Not `os.kill`: another thread might be picked to die of it, and this one be ready before.
    "signal": PREDICTOR.replace('self.version = config["version"]', '__import__("ctypes").string_at(0)'),
}


def api(name: str, version: int, replicas: int = 2, **sections: Any) -> API:
    """A version of an API."""
    own = {"autoscaling": {"min_replicas": replicas, "max_replicas": replicas}, **sections}
    return API(name, predictor={"config": {"version": version}}, sections=own)


def project(folder: Path, name: str, version: int, source: str = PREDICTOR, **more: Any) -> Path:
    """Its project."""
    return write(folder / "project", {"predictor.py": source}, api(name, version, **more))


def status(server: Server, name: str) -> dict[str, Any]:
    """What `cortex get` says of an API."""
    found: dict[str, Any] = server.json("get", name)[0]["status"]
    return found


def versions(load: Load) -> list[int]:
    """The versions that answered, in the order of the answers."""
    return [json.loads(body)["version"] for code, body, _ in load.answers if code == 200]


def await_only(server: Server, name: str, version: int, replicas: int = 2) -> None:
    """Returns when all replicas are of that version."""
    wanted = {"requested": replicas, "ready": replicas, "stale": 0, "failed": 0}
    eventually(lambda: status(server, name)["replica_counts"] == wanted, f"all replicas are of version {version}")
    eventually(
        lambda: (
            server.metrics("cortex_workers", api=name, state="ready") == replicas
            and server.metrics("cortex_workers", api=name, state="draining") == 0
        ),
        "the others have ended",
    )
    assert {server.post(name, json={}).json()["version"] for _ in range(6)} == {version}
