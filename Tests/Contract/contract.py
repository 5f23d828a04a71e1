"""What Cortex promises wherever it runs: the same files, the same commands, the same answers.

The tests of one machine and those of a cluster import all of it; each has a fixture `target` of its own.
"""

from __future__ import annotations

import collections
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.load import Load
from blackbox.project import API, Splitter, write
from target import Target, deploy, ok, post, status

PATIENCE = 120
"""Seconds in which a version comes up: a pod takes longer than a process."""

PREDICTOR = """
class PythonPredictor:
    def __init__(self, config):
        print("loading", config["version"])
        if config["version"] == "broken":
            raise ValueError("no weights today")
        self.version = config["version"]

    def predict(self, payload):
        print("asked for", payload.get("name"))
        return {"version": self.version, "name": payload.get("name")}
"""

CALLER = """
import json
import urllib.request

class PythonPredictor:
    def __init__(self, config):
        self.url = f"http://api-{config['next']}:8888/predict"

    def predict(self, payload):
        request = urllib.request.Request(self.url, json.dumps(payload).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return {"through": json.load(answer)}
"""


def project(folder: Path, name: str, version: str, **autoscaling: Any) -> Path:
    """A project of one API that tells its version."""
    sections = {"compute": {"cpu": "20m"}, "autoscaling": autoscaling}
    api = API(name, predictor={"config": {"version": version}}, sections=sections)
    return write(folder / name, {"predictor.py": PREDICTOR}, api)


def versions(load: Load) -> list[str]:
    """The versions that answered, in the order of the answers."""
    return [json.loads(body)["version"] for code, body, _ in load.answers if code == 200]


def await_version(target: Target, name: str, version: str) -> None:
    """Returns when that version answers."""
    wanted = {"version": version, "name": None}
    eventually(lambda: post(target, name, json={}).json() == wanted, f"{name} is {version}", PATIENCE)


@pytest.fixture
def named(request: pytest.FixtureRequest, target: Target) -> Iterator[str]:
    """The name of a test's API, which is deleted in the end."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:36].rstrip("-")
    yield name
    target.cli("delete", name)


def test_a_project_from_nothing_to_an_answer(target: Target, folder: Path, named: str) -> None:
    deploy(target, project(folder, named, "one"))
    answer = post(target, named, json={"name": "iris"}, headers={"X-Request-ID": "contract-1"})
    assert (answer.status_code, answer.json()) == (200, {"version": "one", "name": "iris"})
    assert answer.headers["X-Request-ID"] == "contract-1"
    assert status(target, named)["message"] == "live"
    assert requests.get(target.url(named), timeout=30).status_code == 200, "its summary"
    eventually(lambda: "asked for iris" in ok(target, "logs", named), "what it printed is in the log")


def test_a_body_that_is_no_json_is_refused_alike(target: Target, folder: Path, named: str) -> None:
    deploy(target, project(folder, named, "one"))
    headers = {"Content-Type": "application/json", "X-Request-ID": "contract-2"}
    refused = post(target, named, data='{"name": ', headers=headers)
    assert refused.status_code == 400
    told = refused.json()
    assert told["error"].startswith("Expecting value: line 1 column 10 (char 9)")
    assert told["request_id"] == "contract-2"
    nobody = post(target, "contract-nobody", json={})
    assert nobody.status_code == 404
    assert nobody.json()["request_id"]


def test_an_update_fails_no_request(target: Target, folder: Path, named: str) -> None:
    deploy(target, project(folder, named, "one", min_replicas=2, max_replicas=2))
    with Load(target.url(named), json={}) as load:
        deploy(target, project(folder, named, "two", min_replicas=2, max_replicas=2))
        load.await_body('{"version": "two", "name": null}', within=PATIENCE)
    assert load.failures() == []
    assert {"one", "two"} == set(versions(load))
    await_version(target, named, "two")


def test_a_broken_update_leaves_the_one_before_serving(target: Target, folder: Path, named: str) -> None:
    deploy(target, project(folder, named, "one"))
    with Load(target.url(named), json={}) as load:
        done = target.cli("deploy", "cortex.yaml", "--wait", cwd=project(folder, named, "broken"))
        assert done.returncode == 1, done
    assert load.failures() == []
    assert set(versions(load)) == {"one"}
    told = status(target, named)
    assert told["message"] == "error (previous version serving)"
    assert "no weights today" in told["reason"]
    deploy(target, project(folder, named, "mended"))
    await_version(target, named, "mended")


def test_a_rollback_brings_the_one_before(target: Target, folder: Path, named: str) -> None:
    for version in ("one", "two"):
        deploy(target, project(folder, named, version))
    ok(target, "rollback", named)
    await_version(target, named, "one")
    eventually(lambda: status(target, named)["message"] == "live", "the rollback is done", PATIENCE)


def test_a_refresh_loads_it_anew(target: Target, folder: Path, named: str) -> None:
    deploy(target, project(folder, named, "one"))
    with Load(target.url(named), json={}) as load:
        ok(target, "refresh", named)
        eventually(lambda: ok(target, "logs", named).count("loading one") >= 2, "it is loaded again", PATIENCE)
        eventually(lambda: status(target, named)["message"] == "live", "the refresh is done", PATIENCE)
    assert load.failures() == []


def test_one_that_sleeps_is_woken_by_a_request(target: Target, folder: Path, named: str) -> None:
    deploy(target, project(folder, named, "one", min_replicas=0))
    eventually(lambda: status(target, named)["replica_counts"]["requested"] == 0, f"{named} has no replica", PATIENCE)
    answers: list[requests.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(post(target, named, json={}, timeout=PATIENCE)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 4, [answer.text for answer in answers]
    assert status(target, named)["replica_counts"]["requested"] == 1


def test_one_api_calls_another_by_its_name(target: Target, folder: Path, named: str) -> None:
    caller = API(
        f"{named}-x", path="caller.py", predictor={"config": {"next": named}}, sections={"compute": {"cpu": "20m"}}
    )
    called = API(named, predictor={"config": {"version": "one"}}, sections={"compute": {"cpu": "20m"}})
    deploy(target, write(folder / "chain", {"predictor.py": PREDICTOR, "caller.py": CALLER}, called, caller))
    answer = post(target, f"{named}-x", json={"name": "iris"})
    target.cli("delete", f"{named}-x")
    assert (answer.status_code, answer.json()) == (200, {"through": {"version": "one", "name": "iris"}})


def test_traffic_is_split(target: Target, folder: Path, named: str) -> None:
    """By weights that change under load, and each target's answers are counted."""
    first, second = f"{named}-1", f"{named}-2"
    apis = [
        API(name, predictor={"config": {"version": name}}, sections={"compute": {"cpu": "20m"}})
        for name in (first, second)
    ]
    files = {"predictor.py": PREDICTOR}
    seen: collections.Counter[str] = collections.Counter()

    def ask(session: requests.Session) -> bool:
        answer = session.post(target.url(named), json={}, timeout=60)
        if answer.status_code == 200:
            seen[answer.json()["version"]] += 1
        return answer.status_code == 200

    def counted() -> dict[str, int]:
        shown = json.loads(ok(target, "get", named, "-o", "json"))[0]["targets"]
        return {each["name"]: each["network_stats"]["code_2xx"] for each in shown}

    try:
        deploy(target, write(folder / "split", files, *apis, Splitter(named, {first: 75, second: 25})))
        with requests.Session() as session:
            eventually(lambda: ask(session), "it answers", PATIENCE)
            before = seen.copy()
            assert all([ask(session) for _ in range(40)])
        # Each gateway takes turns of its own, and a connection has led to one of them.
        assert abs(seen[first] - before[first] - 30) <= 2, seen
        eventually(lambda: counted() == seen, f"{seen} are counted")
        with Load(target.url(named), json={}) as load:
            deploy(target, write(folder / "split", files, Splitter(named, {first: 0, second: 100})))
            eventually(lambda: set(versions(load)[-20:]) == {second}, "the weights are new", PATIENCE)
        assert load.failures() == []
        refused = target.cli("delete", second)
        assert refused.returncode == 1
        assert named in refused.stderr, "it says who needs it"
    finally:
        for name in (named, first, second):
            target.cli("delete", name)


def test_one_that_is_deleted_is_gone(target: Target, folder: Path, named: str) -> None:
    deploy(target, project(folder, named, "one"))
    ok(target, "delete", named)
    eventually(lambda: post(target, named, json={}).status_code == 404, "its endpoint is gone")
    assert named not in ok(target, "get", "-o", "json")


def test_a_config_that_is_wrong_is_told_before_anything_happens(target: Target, folder: Path, named: str) -> None:
    wrong = write(folder / "wrong", {"predictor.py": PREDICTOR}, API(named, predictor={"threads_per_process": 0}))
    done = target.cli("deploy", "cortex.yaml", "--wait", cwd=wrong)
    assert done.returncode == 1
    assert "threads_per_process" in done.stdout + done.stderr
    assert named not in ok(target, "get", "-o", "json")
