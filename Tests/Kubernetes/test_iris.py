"""The iris example on a cluster, and the Python environment that its pods share."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.load import Load
from cluster.cluster import Cluster
from cluster.folders import REPOSITORY
from cluster.kubectl import Kubectl
from cluster.target import ClusterTarget
from target import deploy, ok, post, status

EXAMPLE = REPOSITORY / "examples" / "iris-classifier"
NAME = "iris-classifier"
SAMPLE = json.loads((EXAMPLE / "sample.json").read_text())
PATIENCE = 300
"""Seconds in which a version comes up."""


def project(folder: Path, name: str = NAME, regularisation: str = "1.0") -> Path:
    """The example, under a name and with another training."""
    place = folder / name
    shutil.copytree(EXAMPLE, place)
    text = (place / "cortex.yaml").read_text()
    changes = {f"name: {NAME}": f"name: {name}", "regularisation: 1.0": f"regularisation: {regularisation}"}
    for line, other in changes.items():
        assert line in text
        text = text.replace(line, other)
    (place / "cortex.yaml").write_text(text)
    return place


@pytest.fixture(scope="module")
def iris(cluster: Cluster, target: ClusterTarget) -> Iterator[Kubectl]:
    """The example as it is, live; kubectl in its namespace."""
    deploy(target, EXAMPLE)
    yield Kubectl(cluster, target.environment)
    target.cli("delete", NAME)


def answer(target: ClusterTarget, name: str = NAME) -> requests.Response:
    """What it says of the sample."""
    return post(target, name, json=SAMPLE)


def said_of_environment(kubectl: Kubectl, pod: str) -> list[str]:
    """What was said while it was made; nothing where it was there."""
    lines = kubectl.ok("logs", pod, "--container=prepare").splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{")]
    assert "prepared" in {each["message"] for each in records}
    return [each["message"] for each in records if each.get("stream") == "environment"]


def shell(kubectl: Kubectl, pod: str, command: str) -> subprocess.CompletedProcess[str]:
    """A command in the container of the predictor."""
    return kubectl.run("exec", pod, "--container=api", "--", "sh", "-c", command)


@pytest.mark.usefixtures("iris")
def test_it_answers_as_its_page_says(target: ClusterTarget) -> None:
    assert answer(target).json() == {"label": "setosa", "probability": 0.98}
    lacking = post(target, NAME, json={"sepal_length": 6.1})
    assert (lacking.status_code, lacking.json()) == (400, {"error": "missing: sepal_width, petal_length, petal_width"})
    eventually(lambda: "accuracy on 30 others" in ok(target, "logs", NAME), "what it printed is in the log")


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("iris")
def test_updates_fail_no_request_and_can_be_taken_back(target: ClusterTarget, folder: Path) -> None:
    first = answer(target).text
    with Load(target.url(NAME), json=SAMPLE) as load:
        deploy(target, project(folder, regularisation="0.01"))
        eventually(lambda: load.answers[-1][1] != first, "it is trained otherwise", within=PATIENCE)
        second = load.answers[-1][1]
        broken = target.cli("deploy", "cortex.yaml", "--wait", cwd=project(folder / "broken", regularisation="much"))
        assert broken.returncode == 1
        assert status(target, NAME)["message"] == "error (previous version serving)"
        ok(target, "rollback", NAME, "1")
        eventually(lambda: load.answers[-1][1] == first, "it is as it was", within=PATIENCE)
    assert load.failures() == []
    assert {body for _, body, _ in load.answers} == {first, second}


def test_an_environment_is_built_once_and_not_written_to(target: ClusterTarget, iris: Kubectl, folder: Path) -> None:
    name = f"{NAME}-too"
    deploy(target, project(folder, name))
    try:
        assert answer(target, name).json()["label"] == "setosa"
        (found,) = iris.pods(f"cortex.dev/api={name}")
        pod = found["metadata"]["name"]
        assert said_of_environment(iris, pod) == []
        running = shell(iris, pod, "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'").stdout.split()
        python = next(word for word in running if word.startswith("/cortex/cache/environments/"))
        for place in ("/cortex/cache", python.rpartition("/")[0]):
            done = shell(iris, pod, f"touch {place}/mine")
            assert done.returncode != 0
            assert "Read-only file system" in done.stderr, done
    finally:
        target.cli("delete", name)
