"""The operator on a real cluster: APIs as objects, scaling by load, and an operator that is killed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from blackbox.conditions import eventually
from blackbox.load import Load
from blackbox.project import API, Splitter, write
from cluster.kubectl import Kubectl
from cluster.target import ClusterTarget
from target import deploy, ok, post, status

PATIENCE = 120
"""Seconds in which a version comes up."""

PREDICTOR = """
class PythonPredictor:
    def __init__(self, config):
        self.version = config["version"]

    def predict(self, payload):
        return {"version": self.version}
"""


def api(name: str, version: str) -> API:
    """An API that tells its version."""
    return API(name, predictor={"config": {"version": version}}, sections={"compute": {"cpu": "20m"}})


def of(inside: Kubectl, name: str) -> dict[str, Any]:
    """The status of an API's object."""
    told: dict[str, Any] = inside.json("get", "realtimeapi", name).get("status", {})
    return told


def ending(inside: Kubectl) -> list[str]:
    """The pods that are being deleted."""
    found = [pod["metadata"] for pod in inside.json("get", "pods")["items"]]
    return [metadata["name"] for metadata in found if "deletionTimestamp" in metadata]


def test_apis_are_objects(target: ClusterTarget, inside: Kubectl, folder: Path, names: list[str]) -> None:
    deploy(target, write(folder / "one", {"predictor.py": PREDICTOR}, api(names[0], "one")))
    shown = inside.ok("get", "realtimeapis", names[0])
    header, row = shown.splitlines()
    assert header.split()[:5] == ["NAME", "STATUS", "READY", "REQUESTED", "VERSION"], shown
    assert row.split()[:5] == [names[0], "live", "1", "1", "1"], shown
    inside.wait(f"realtimeapi/{names[0]}", "Ready", within=30)
    described = inside.ok("describe", "realtimeapi", names[0])
    assert "Live" in described, described
    # What somebody else sets is set right again.
    workload = f"deployment/api-{names[0]}"
    inside.ok("scale", workload, "--replicas=3")
    eventually(lambda: inside.json("get", workload)["spec"]["replicas"] == 1, "it is set right", 30)


def test_what_kubectl_applies_is_deployed(
    target: ClusterTarget, inside: Kubectl, folder: Path, names: list[str]
) -> None:
    deploy(target, write(folder / "one", {"predictor.py": PREDICTOR}, api(names[0], "one")))
    project = inside.json("get", "realtimeapi", names[0])["spec"]["project"]

    def wish(version: str, **changes: Any) -> dict[str, Any]:
        return {
            "apiVersion": "cortex.dev/v1",
            "kind": "RealtimeAPI",
            "metadata": {"name": names[1]},
            "spec": {"config": {**api(names[1], version).entry(), **changes}, "project": project},
        }

    inside.apply(wish("two"))
    inside.wait(f"realtimeapi/{names[1]}", "Ready")
    assert post(target, names[1], json={}).json() == {"version": "two"}
    assert names[1] in ok(target, "get")

    # What is wrong is told in the object, and what serves goes on.
    inside.apply(wish("three", networking={"timeout": "never"}))
    eventually(lambda: "networking.timeout" in of(inside, names[1]).get("reason", ""), "what is wrong is told", 30)
    assert post(target, names[1], json={}).json() == {"version": "two"}

    inside.apply(wish("three"))
    eventually(lambda: post(target, names[1], json={}).json() == {"version": "three"}, "it is updated", PATIENCE)
    inside.ok("delete", "realtimeapi", names[1])
    eventually(lambda: post(target, names[1], json={}).status_code == 404, "its endpoint is gone", 30)
    eventually(lambda: names[1] not in ok(target, "get"), "it is forgotten", 30)


def test_an_operator_that_is_killed_in_a_rollout_loses_nothing(
    target: ClusterTarget, inside: Kubectl, folder: Path, names: list[str]
) -> None:
    deploy(target, write(folder / "one", {"predictor.py": PREDICTOR}, api(names[0], "one")))
    with Load(target.url(names[0]), json={}) as load:
        ok(target, "deploy", "cortex.yaml", "--no-wait", cwd=write(folder / "one", {}, api(names[0], "two")))
        inside.ok(
            "delete", "pod", "-l", "app.kubernetes.io/component=operator", "--grace-period=0", "--force", within=60
        )
        load.await_body('{"version": "two"}', within=PATIENCE)
        inside.ok("rollout", "status", "deployment/cortex-operator", f"--timeout={PATIENCE}s", within=PATIENCE + 10)
        eventually(lambda: status(target, names[0])["message"] == "live", "the rollout is told of", PATIENCE)
    assert load.failures() == []
    told = json.loads(ok(target, "describe", names[0], "-o", "json"))
    assert [one["outcome"] for one in told["deployments"]] == ["live", "live"]
    # A new operator keeps what replicas there are.
    pods = inside.json("get", "pods", "-l", f"cortex.dev/api={names[0]}")["items"]
    assert len([pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]) == 1


def test_a_splitter_shares_requests_out(target: ClusterTarget, inside: Kubectl, folder: Path, names: list[str]) -> None:
    first, second, both = names
    wishes = [api(first, "one"), api(second, "two")]
    project = write(folder / "split", {"predictor.py": PREDICTOR}, *wishes, Splitter(both, {first: 25, second: 75}))
    deploy(target, project)
    eventually(lambda: post(target, both, json={}).status_code == 200, "it has a route", 30)
    # Each gateway takes turns of its own.
    seen = Counter(post(target, both, json={}).json()["version"] for _ in range(80))
    assert 10 <= seen["one"] <= 30, seen
    assert seen["one"] + seen["two"] == 80
    refused = target.cli("delete", first)
    assert refused.returncode == 1
    assert both in refused.stderr
    deploy(target, write(folder / "split", {}, *wishes, Splitter(both, {first: 0, second: 100})))
    eventually(
        lambda: {post(target, both, json={}).json()["version"] for _ in range(8)} == {"two"}, "the weights are new", 30
    )
    ok(target, "delete", both)
    eventually(lambda: post(target, both, json={}).status_code == 404, "its endpoint is gone", 30)


def test_what_a_quota_forbids_is_told(target: ClusterTarget, inside: Kubectl, folder: Path, names: list[str]) -> None:
    # Pods that end leave room behind.
    eventually(lambda: not ending(inside), "what was deleted has ended", PATIENCE)
    count = len(inside.json("get", "pods")["items"])
    inside.ok("create", "quota", "small", f"--hard=pods={count}")
    try:
        ok(
            target,
            "deploy",
            "cortex.yaml",
            "--no-wait",
            cwd=write(folder / "one", {"predictor.py": PREDICTOR}, api(names[0], "one")),
        )
        eventually(lambda: "quota" in str(status(target, names[0]).get("reason")), "the quota is told of", 60)
        assert status(target, names[0])["message"] == "compute unavailable"
    finally:
        inside.ok("delete", "quota", "small")
    eventually(lambda: status(target, names[0])["message"] == "live", "it has room now", PATIENCE)


def test_names_are_taken_again_at_once(target: ClusterTarget, inside: Kubectl, folder: Path, names: list[str]) -> None:
    project = write(folder / "one", {"predictor.py": PREDICTOR}, api(names[0], "one"))
    deploy(target, project)
    ok(target, "delete", names[0])
    deploy(target, write(folder / "one", {}, api(names[0], "two")))
    assert post(target, names[0], json={}).json() == {"version": "two"}
    pods = inside.json("get", "pods", "-l", f"cortex.dev/api={names[0]}")["items"]
    live = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    assert len(live) == 1
