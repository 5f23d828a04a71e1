"""The iris example on a cluster, and the Python environment that its pods share."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


QUICK = {
    **{"min_replicas": 0, "max_replicas": 2, "target_replica_concurrency": 0.3},
    **{"window": "10s", "upscale_stabilization_period": "0s", "downscale_stabilization_period": "0s"},
}
"""Scales as soon as there is something to see."""


def project(folder: Path, name: str = NAME, regularisation: str = "1.0", **sections: Any) -> Path:
    """The example, under a name, with another training, and with further sections."""
    place = folder / name
    shutil.copytree(EXAMPLE, place)
    text = (place / "cortex.yaml").read_text()
    changes = {f"name: {NAME}": f"name: {name}", "regularisation: 1.0": f"regularisation: {regularisation}"}
    for line, other in changes.items():
        assert line in text
        text = text.replace(line, other)
    text += "".join(f"  {key}: {json.dumps(section)}\n" for key, section in sections.items())
    (place / "cortex.yaml").write_text(text)
    return place


@pytest.fixture(scope="module")
def iris(cluster: Cluster, target: ClusterTarget) -> Iterator[Kubectl]:
    """The example as it is, live; kubectl in its namespace."""
    deploy(target, EXAMPLE)
    yield Kubectl(cluster, target.environment)
    target.cli("delete", NAME)


def answer(target: ClusterTarget, name: str = NAME) -> requests.Response:
    """What it says of the sample; longer than a replica takes to start is not waited."""
    return post(target, name, json=SAMPLE, timeout=PATIENCE)


def scalings(target: ClusterTarget) -> list[str]:
    """The changes of its count of replicas: `replicas 1 → 2`."""
    told = json.loads(ok(target, "describe", NAME, "-o", "json"))["events"]
    return [event["message"].partition(":")[0] for event in told if event["kind"] == "scaled"]


def await_pods(kubectl: Kubectl, count: int) -> list[str]:
    """The names of its pods, as soon as there are so many, and none that ends."""

    def names() -> list[str]:
        found = kubectl.json("get", "pods", f"--selector=cortex.dev/api={NAME}")["items"]
        return [pod["metadata"]["name"] for pod in found]

    eventually(lambda: len(names()) == count, f"it has {count} replicas", PATIENCE)
    return names()


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
        # Nor need it be: what is imported has been compiled.
        packages = f"{python.rpartition('/bin/')[0]}/lib/python3*/site-packages"
        assert shell(iris, pod, f"ls {packages}/sklearn/__pycache__").stdout.count(".pyc") > 5
    finally:
        target.cli("delete", name)


@pytest.mark.timeout(1200)
def test_replicas_follow_the_load_from_zero(target: ClusterTarget, iris: Kubectl, folder: Path) -> None:
    deploy(target, project(folder, autoscaling=QUICK))
    await_pods(iris, 0)
    told = status(target, NAME)
    assert (told["message"], told["replica_counts"]["requested"]) == ("live", 0)
    assert iris.json("get", "deployment", f"api-{NAME}")["spec"]["replicas"] == 0
    before = scalings(target)
    with Load(target.url(NAME), clients=8, timeout=PATIENCE, json=SAMPLE) as load:
        eventually(lambda: status(target, NAME)["replica_counts"]["ready"] == 2, "two replicas serve", PATIENCE)
        log = ok(target, "logs", NAME).splitlines()
        for pod in await_pods(iris, 2):
            assert any(line.startswith(f"[{pod}] ") and "trained on" in line for line in log), log
    with Load(target.url(NAME), clients=1, pause=0.5, json=SAMPLE) as little:
        await_pods(iris, 1)
    assert load.failures() == little.failures() == []
    steps = scalings(target)[len(before) :]
    assert (steps[0], steps[1], steps[-1]) == ("replicas 0 → 1", "replicas 1 → 2", "replicas 2 → 1"), steps
