"""An API whose answers say which version and which process they are of."""

from __future__ import annotations

from pathlib import Path

from blackbox.conditions import eventually
from blackbox.project import API, write
from blackbox.server import Server

VERSIONED = """
import os

class PythonPredictor:
    def __init__(self, config):
        self.version = config["version"]

    def predict(self, payload):
        return {"version": self.version, "pid": os.getpid(), "echo": payload}
"""


def versioned(folder: Path, version: int, name: str = "versioned", **predictor: object) -> Path:
    """A project whose answers say which version they are of."""
    api = API(name, predictor={"config": {"version": version}, **predictor})
    return write(folder, {"predictor.py": VERSIONED}, api)


def ask(server: Server, name: str = "versioned") -> dict[str, int]:
    """A good request."""
    answer = server.post(name, json={"n": 1})
    assert answer.status_code == 200, answer.text
    body: dict[str, int] = answer.json()
    return body


def await_ready(server: Server, name: str) -> None:
    """Waits for an API that a starting server brings back."""
    eventually(lambda: server.get(f"{name}/readyz").status_code == 200, f"{name} is ready")
