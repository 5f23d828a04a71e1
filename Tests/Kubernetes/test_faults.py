"""kill -9 of whatever a cluster runs: no request is lost that had not been started."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from blackbox.conditions import eventually
from blackbox.load import Load
from blackbox.project import API, write
from cluster.cluster import Cluster
from cluster.kubectl import Kubectl
from cluster.target import ClusterTarget
from target import deploy, ok, status

pytestmark = pytest.mark.apart

PATIENCE = 120
"""Seconds in which a version comes up, or something that was killed comes back."""

PREDICTOR = """
import os
import socket
import time

class PythonPredictor:
    def __init__(self, config):
        self.version = config["version"]
        # In a folder that outlives the container.
        self.begun = os.open("/cortex/home/begun", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)

    def predict(self, payload, context):
        os.write(self.begun, (context.request_id + "\\n").encode())
        time.sleep(0.02)
        return {"version": self.version, "host": socket.gethostname()}
"""


def project(folder: Path, name: str, version: str, replicas: int) -> Path:
    """An API that writes down each request that it begins, and tells which of its pods it is."""
    autoscaling = {"min_replicas": replicas, "max_replicas": replicas}
    sections = {"compute": {"cpu": "20m"}, "autoscaling": autoscaling}
    api = API(name, predictor={"config": {"version": version}}, sections=sections)
    return write(folder / "project", {"predictor.py": PREDICTOR}, api)


@pytest.fixture
def name(request: pytest.FixtureRequest, target: ClusterTarget) -> Iterator[str]:
    """The name of a test's API, which is deleted in the end."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:36].rstrip("-")
    yield name
    target.cli("delete", name)


def load_on(gateway: dict[str, Any], name: str) -> Load:
    """A load that comes through this gateway, whatever Kubernetes' own rules think of it."""
    return Load(f"http://{gateway['status']['podIP']}:8888/{name}", clients=4, json={})


def answers(load: Load, since: int = 0) -> list[dict[str, Any]]:
    """What the API answered, after so many answers."""
    return [json.loads(body) for code, body, _ in load.answers[since:] if code == 200]


def await_hosts(load: Load, *hosts: str) -> None:
    """Returns when answers of all these pods have come, in whatever order."""
    since = len(load.answers)
    eventually(
        lambda: {answer["host"] for answer in answers(load, since)} >= set(hosts), f"{hosts} answer", within=PATIENCE
    )


def await_more(load: Load, count: int = 40) -> None:
    """Returns when so many more answers have come."""
    since = len(load.answers)
    eventually(lambda: len(answers(load, since)) >= count, "the load is answered", within=PATIENCE)


def begun(inside: Kubectl, pod: str) -> list[str]:
    """The requests that the predictors of a pod have begun, by their ids."""
    return inside.ok("exec", pod, "--container=api", "--", "cat", "/cortex/home/begun").split()


def require_begun(load: Load, ids: set[str]) -> None:
    """What failed had been started, and was said to be lost: nothing else failed."""
    failed = load.failures()
    assert {code for code, _, _ in failed} <= {502}, failed
    lost = {json.loads(body)["request_id"] for _, body, _ in failed}
    assert lost <= ids, f"lost, and never started: {lost - ids}"


def test_a_replica_takes_along_what_it_had_begun(
    target: ClusterTarget, inside: Kubectl, folder: Path, name: str
) -> None:
    deploy(target, project(folder, name, "one", replicas=2))
    doomed, other = [pod["metadata"]["name"] for pod in inside.pods(f"cortex.dev/api={name}")]
    # More than two replicas can have at once: some wait in each.
    with Load(target.url(name), clients=8, json={}) as load:
        await_hosts(load, doomed, other)
        inside.kill(doomed, "api")
        await_more(load)
        eventually(lambda: inside.restarts(doomed, "api") == 1, f"{doomed} is started again", within=PATIENCE)
        await_hosts(load, doomed, other)
    mine, theirs = begun(inside, doomed), begun(inside, other)
    require_begun(load, set(mine))
    assert len({*mine, *theirs}) == len(mine) + len(theirs), "none ran twice"
    assert inside.restarts(other, "api") == 0


def evict(inside: Kubectl, pod: str) -> subprocess.CompletedProcess[str]:
    """Asks for a pod's end as `kubectl drain` does."""
    eviction = {"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": pod}}
    path = f"/api/v1/namespaces/{inside.namespace}/pods/{pod}/eviction"
    return inside.run("create", "--raw", path, "--filename=-", given=json.dumps(eviction))


def test_a_node_that_is_drained_takes_one_at_a_time(
    target: ClusterTarget, inside: Kubectl, folder: Path, name: str
) -> None:
    deploy(target, project(folder, name, "one", replicas=2))
    both = [pod["metadata"]["name"] for pod in inside.pods(f"cortex.dev/api={name}")]
    with Load(target.url(name), clients=4, json={}) as load, ThreadPoolExecutor() as pool:
        await_hosts(load, *both)

        def asked() -> dict[bool, subprocess.CompletedProcess[str]] | None:
            done = list(pool.map(lambda pod: evict(inside, pod), both))
            # Their budget is told of them a moment after they are ready: then neither may go.
            return {each.returncode == 0: each for each in done} if any(each.returncode == 0 for each in done) else None

        answered = eventually(asked, "one of them may go", within=PATIENCE)
        assert answered.keys() == {True, False}, answered
        assert "disruption budget" in answered[False].stderr, answered
        (other,) = {pod["metadata"]["name"] for pod in inside.pods(f"cortex.dev/api={name}")} & set(both)
        eventually(lambda: len(inside.pods(f"cortex.dev/api={name}")) == 2, "another is made", within=PATIENCE)
        (new,) = {pod["metadata"]["name"] for pod in inside.pods(f"cortex.dev/api={name}")} - {other}
        await_hosts(load, other, new)
    assert load.failures() == []


def test_a_gateway_takes_along_what_it_had(target: ClusterTarget, inside: Kubectl, folder: Path, name: str) -> None:
    deploy(target, project(folder, name, "one", replicas=1))
    (replica,) = inside.pods(f"cortex.dev/api={name}")
    doomed, other = inside.pods("app.kubernetes.io/component=gateway")

    with load_on(doomed, name) as cut, load_on(other, name) as whole:
        await_more(cut)
        inside.kill(doomed["metadata"]["name"], "gateway")
        # Its connections break. Nobody can connect before it runs again, and then it says that it is starting.
        eventually(cut.failures, "clients of the one that was killed notice")
        await_more(whole)
        await_more(cut)
    assert whole.failures() == [], "none is lost on the other"
    assert {code for code, _, _ in cut.failures()} <= {0, 503}, cut.failures()
    assert inside.restarts(replica["metadata"]["name"], "api") == 0
    assert inside.restarts(doomed["metadata"]["name"], "gateway") == 1


def test_an_operator_in_the_midst_of_a_rollout(target: ClusterTarget, inside: Kubectl, folder: Path, name: str) -> None:
    deploy(target, project(folder, name, "one", replicas=2))
    (operator,) = inside.pods("app.kubernetes.io/component=operator")
    with Load(target.url(name), json={}) as load:
        ok(target, "deploy", "cortex.yaml", "--no-wait", cwd=project(folder, name, "two", replicas=2))
        labels = f"cortex.dev/api={name},cortex.dev/version=2"
        eventually(lambda: inside.pods(labels), "the rollout has begun", within=PATIENCE)
        inside.kill(operator["metadata"]["name"], "operator")
        eventually(lambda: answers(load)[-1]["version"] == "two", "it goes on", within=PATIENCE)
        eventually(lambda: status(target, name)["message"] == "live", "it is told of", within=PATIENCE)
        eventually(lambda: len(inside.pods(f"cortex.dev/api={name}")) == 2, "the old ones end", within=PATIENCE)
    assert load.failures() == []
    told = json.loads(ok(target, "describe", name, "-o", "json"))
    assert [one["outcome"] for one in told["deployments"]] == ["live", "live"]


@pytest.mark.breaks
def test_a_node_without_its_kubelet(
    cluster: Cluster, target: ClusterTarget, inside: Kubectl, folder: Path, name: str
) -> None:
    """Nobody tells the gateways that a replica is gone, nor starts it again: they find out, and the other serves."""
    deploy(target, project(folder, name, "one", replicas=2))
    doomed, other = [pod["metadata"]["name"] for pod in inside.pods(f"cortex.dev/api={name}")]
    kubelet = cluster.daemons["kubelet"]
    gateway, _ = inside.pods("app.kubernetes.io/component=gateway")
    with load_on(gateway, name) as load:
        await_hosts(load, doomed, other)
        kubelet.kill()
        try:
            await_more(load)
            inside.kill(doomed, "api")
            await_more(load)
        finally:
            kubelet.start()
        eventually(lambda: inside.restarts(doomed, "api") == 1, f"{doomed} is started again", within=PATIENCE)
        ids = set(begun(inside, doomed))
        await_hosts(load, doomed, other)
    require_begun(load, ids)


@pytest.mark.breaks
def test_a_cluster_without_its_api_server(
    cluster: Cluster, target: ClusterTarget, inside: Kubectl, folder: Path, name: str
) -> None:
    """Serving goes on with what is known, a deploy says why it cannot be, and afterwards all is as before.

    When it is back, the node may be taken for gone, and all that runs there for not ready.
    """
    deploy(target, project(folder, name, "one", replicas=2))
    hosts = [pod["metadata"]["name"] for pod in inside.pods(f"cortex.dev/api={name}")]
    gateway, _ = inside.pods("app.kubernetes.io/component=gateway")
    server = cluster.daemons["kube-apiserver"]
    with load_on(gateway, name) as load:
        await_hosts(load, *hosts)
        server.kill()
        try:
            gone = time.monotonic()
            refused = target.cli("deploy", "cortex.yaml", "--wait", cwd=project(folder, name, "two", replicas=2))
            assert refused.returncode == 1, refused
            assert "does not answer" in refused.stderr, refused
            # Longer than an operator's lease: the outage itself is what is tested.
            time.sleep(max(0, gone + 20 - time.monotonic()))
            await_hosts(load, *hosts)
        finally:
            server.start()
        eventually(lambda: target.cli("get", name).returncode == 0, "the operator can be asked again", within=PATIENCE)
        deploy(target, project(folder, name, "two", replicas=2))
        # What the old ones had at that moment may still come.
        eventually(
            lambda: {answer["version"] for answer in answers(load)[-20:]} == {"two"}, "the new ones", within=PATIENCE
        )
    assert load.failures() == []
    told = json.loads(ok(target, "describe", name, "-o", "json"))
    assert [one["outcome"] for one in told["deployments"]] == ["live", "live"], "what was refused left nothing behind"
