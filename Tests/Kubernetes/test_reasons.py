"""Why replicas do not come up, or do not stay up, in the words of `cortex get` and `cortex describe`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blackbox.conditions import eventually
from blackbox.project import API, write
from cluster.kubectl import Kubectl
from cluster.target import ClusterTarget
from target import deploy, ok, status

pytestmark = pytest.mark.apart

PATIENCE = 180
"""Seconds in which a pod starts, fails, and is started again."""

GREEDY = """
class PythonPredictor:
    def __init__(self, config):
        self.weights = b"1" * (1 << 30)

    def predict(self, payload):
        return len(self.weights)
"""

FRAIL = """
import pathlib

class PythonPredictor:
    def __init__(self, config):
        # In a folder that outlives the container.
        used = pathlib.Path("/cortex/home/used")
        if used.exists():
            raise ValueError("its weights are used up")
        used.touch()

    def predict(self, payload):
        return {}
"""

SMALL = {"cpu": "20m", "mem": "150Mi"}


@pytest.fixture
def own(request: pytest.FixtureRequest, target: ClusterTarget) -> Iterator[dict[str, str]]:
    """The names of a test's APIs by what they are for; all of them are deleted in the end."""
    found = {word: f"reasons-{word}" for word in request.node.get_closest_marker("apis").args}
    yield found
    for name in found.values():
        target.cli("delete", name)


def await_status(target: ClusterTarget, name: str, message: str, *words: str) -> None:
    """Returns when `cortex get` says this status, with these words as its reason; `cortex describe` says them too."""

    def seen() -> bool:
        told: dict[str, Any] = status(target, name)
        assert told["message"] == message, told
        assert all(word in str(told["reason"]) for word in words), told
        return True

    eventually(seen, f"{name} is in the status {message}", PATIENCE)
    described = " ".join(ok(target, "describe", name).split())
    assert all(word in described for word in (message, *words)), described


@pytest.mark.apis("memory", "image", "device")
def test_what_does_not_come_up(target: ClusterTarget, folder: Path, own: dict[str, str]) -> None:
    nowhere = {"type": "tensorflow", "tensorflow_serving_image": "localhost/nowhere:1", "models": {"dir": "./models"}}
    apis = [
        API(own["memory"], sections={"compute": SMALL}),
        API(own["image"], predictor=nowhere, sections={"compute": SMALL}),
        API(own["device"], sections={"compute": {**SMALL, "inf": 1}}),
    ]
    files = {"predictor.py": GREEDY, "models/one/1/saved_model.pb": "1"}
    ok(target, "deploy", "cortex.yaml", "--no-wait", cwd=write(folder / "project", files, *apis))
    await_status(target, own["device"], "compute unavailable", "aws.amazon.com/neuron")
    await_status(target, own["image"], "error", "localhost/nowhere:1")
    await_status(target, own["memory"], "error (out of memory)", "compute.mem")
    # Each is told on a line of its own.
    table = ok(target, "get")
    for name, message in zip(own.values(), ("error (out of memory)", "error", "compute unavailable")):
        assert any(name in line and message in line for line in table.splitlines()), table


@pytest.mark.apis("loop")
def test_what_was_up_and_ends_again_and_again(
    target: ClusterTarget, inside: Kubectl, folder: Path, own: dict[str, str]
) -> None:
    name = own["loop"]
    deploy(target, write(folder / "project", {"predictor.py": FRAIL}, API(name, sections={"compute": SMALL})))
    (pod,) = inside.pods(f"cortex.dev/api={name}")
    inside.kill(pod["metadata"]["name"], "api")
    await_status(target, name, "error (crash loop)", pod["metadata"]["name"], "its weights are used up")
