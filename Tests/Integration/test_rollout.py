"""From one version to the next and back, under load: nobody notices, and a killed server goes on with it."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.load import Load
from blackbox.processes import children
from blackbox.project import write
from blackbox.rollouts import BROKEN, PREDICTOR, await_only, project, status, versions
from blackbox.server import Server


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param({}, id="standard"),
        pytest.param({"max_surge": 0, "max_unavailable": 1}, id="room-first"),
        pytest.param({"max_surge": 2, "max_unavailable": 0}, id="all-beside", marks=pytest.mark.slow),
        pytest.param({"max_unavailable": "100%"}, id="all-away", marks=pytest.mark.slow),
    ],
)
def test_updates_rollbacks_and_refreshes_cost_no_request(
    server: Server, folder: Path, strategy: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    name = f"rolled-{request.node.callspec.id}"
    server.deploy(project(folder, name, 1, update_strategy=strategy))
    with Load(server.url(name), clients=3, json={}) as load:
        server.deploy(project(folder, name, 2, update_strategy=strategy))
        await_only(server, name, 2)
        server.ok("rollback", name)
        eventually(lambda: status(server, name)["serving_version"] == 3, "the rollback serves")
        await_only(server, name, 1)
        before = {server.post(name, json={}).json()["pid"] for _ in range(9)}
        server.ok("refresh", name)
        eventually(lambda: status(server, name)["serving_version"] == 4, "the refresh serves")
        await_only(server, name, 1)
        assert not before & {server.post(name, json={}).json()["pid"] for _ in range(9)}
    assert load.failures() == []
    told = [version for version, last in zip(versions(load), [0, *versions(load)]) if version != last]
    assert told[0] == 1 and 2 in told and told[-1] == 1
    server.ok("delete", name)


def test_a_new_version_has_to_answer_the_sample_first(server: Server, folder: Path) -> None:
    name = "sampled"
    readiness = {"readiness": {"sample": "sample.json"}}
    good = PREDICTOR.replace("return {", "payload['words']; return {")
    write(folder / "project", {"sample.json": '{"words": []}'})
    done = server.run("deploy", "--wait", cwd=project(folder, name, 1, good, **readiness))
    assert done.returncode == 0, done
    bad = PREDICTOR.replace("return {", "payload['figures']; return {")
    with Load(server.url(name), json={"words": []}) as load:
        done = server.run("deploy", "--wait", cwd=project(folder, name, 2, bad, **readiness))
        assert done.returncode == 1, done
        reason = status(server, name)["reason"]
        assert "readiness.sample (sample.json)" in reason and "status 500" in reason, reason
        assert "KeyError: 'figures'" in server.logs(name)
        write(folder / "project", {"sample.json": '{"figures": [], "words": []}'})
        server.deploy(
            project(folder, name, 3, bad.replace("payload['figures']", "payload.get('figures')"), **readiness)
        )
        await_only_with(server, name, 3)
    assert load.failures() == []
    assert set(versions(load)) == {1, 3}
    # No client asked it: it is in no count.
    assert server.metrics("cortex_requests_total", api=name, code="500") == 0
    server.ok("delete", name)


def await_only_with(server: Server, name: str, version: int) -> None:
    """Returns when that version answers, and no other."""
    eventually(lambda: status(server, name)["replica_counts"]["stale"] == 0, "the old replicas have gone")
    body: dict[str, list[int]] = {"words": [], "figures": []}
    assert {server.post(name, json=body).json()["version"] for _ in range(6)} == {version}


def test_what_another_version_names_of_a_request_is_there(server: Server, folder: Path) -> None:
    """A request that waits since before a version came gets all that the new one names."""
    name = "names"
    plain = "class PythonPredictor:\n    def predict(self, payload):\n        return 'plain'\n"
    server.deploy(project(folder, name, 1, plain, replicas=1))
    rich = """
class PythonPredictor:
    def predict(self, payload, headers, query_params):
        return [headers.get("x-mark"), query_params.get("mark"), payload]
"""
    url = server.url(f"{name}?mark=q")
    with Load(url, clients=4, json={"a": 1}, headers={"X-Mark": "h"}) as load:
        server.deploy(project(folder, name, 2, rich, replicas=1))
        load.await_body('["h", "q", {"a": 1}]')
        server.deploy(project(folder, name, 3, plain, replicas=1))
        load.await_body("plain")
    assert {answer[:2] for answer in load.answers} == {(200, "plain"), (200, '["h", "q", {"a": 1}]')}
    server.ok("delete", name)


def test_the_access_log_tells_which_version_answered(server: Server, folder: Path) -> None:
    name = "logged"
    server.deploy(project(folder, name, 1, replicas=1))

    def said(request_id: str) -> int:
        body = server.post(name, json={}, headers={"X-Request-ID": request_id}).json()
        line = eventually(lambda: server.access_lines(request_id), "the request is in the log")[0]
        assert line["worker"].startswith(f"{name}-"), line
        assert body["version"] in (1, 2)
        return int(line["version"])

    assert said("logged-1") == 1
    # The same workers, by another number.
    server.deploy(project(folder, name, 1, replicas=1, networking={"timeout": "1m"}))
    assert said("logged-2") == 2
    server.deploy(project(folder, name, 2, replicas=1))
    assert said("logged-3") == 3
    server.ok("delete", name)


@pytest.mark.parametrize("way", ["good", "constructor"])
def test_G04_a_server_that_is_killed_in_the_middle_of_an_update_goes_on_with_it(
    own_server: Server, folder: Path, way: str
) -> None:
    name = "cut"
    own_server.deploy(project(folder, name, 1))
    source = BROKEN.get(way, PREDICTOR)
    assert own_server.run("deploy", "--no-wait", cwd=project(folder, name, 2, source)).returncode == 0
    eventually(lambda: own_server.metrics("cortex_workers", api=name) > 2, "the update has begun")
    own_server.kill()
    own_server.start()
    if way == "good":
        await_only(own_server, name, 2)
        return
    eventually(lambda: status(own_server, name)["status_code"] == "status_rollout_failed", "it has failed again")
    eventually(lambda: status(own_server, name)["replica_counts"]["stale"] == 2, "what served before serves again")
    assert own_server.post(name, json={}).json()["version"] == 1


THREEFOLD = """
import os
import pathlib

VERSION = {version}

class PythonPredictor:
    def __init__(self, config):
        self.config = config["version"]
        self.file = int(pathlib.Path("version.txt").read_text())

    def predict(self, payload):
        return {{"versions": [VERSION, self.config, self.file], "pid": os.getpid()}}
"""


def test_G04_no_server_that_is_killed_amid_updates_answers_with_a_mixture(own_server: Server, folder: Path) -> None:
    """Each answer tells its version three times: from the module, from the configuration and from a file."""
    name = "mixed"

    def versioned(version: int) -> Path:
        files = {"version.txt": str(version)}
        write(folder / "project", files)
        return project(folder, name, version, THREEFOLD.format(version=version))

    own_server.deploy(versioned(1))
    answers: list[requests.Response] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            # Nobody answers while there is no server.
            with suppress(requests.RequestException):
                answers.append(own_server.post(name, json={}))

    clients = [threading.Thread(target=ask) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        for version in (2, 3, 4):
            assert own_server.run("deploy", "--force", "--no-wait", cwd=versioned(version)).returncode == 0
            eventually(lambda: own_server.metrics("cortex_workers", api=name) > 2, "the update has begun")
            own_server.kill()
            own_server.start()
            eventually(lambda: own_server.get(f"{name}/readyz").status_code == 200, "it is back")
        eventually(lambda: own_server.post(name, json={}).json()["versions"] == [4, 4, 4], "the last one is live")
        eventually(lambda: status(own_server, name)["replica_counts"]["stale"] == 0, "the others have gone")
    finally:
        ended.set()
        for client in clients:
            client.join()
    good = [answer for answer in answers if answer.status_code == 200]
    # What comes before it is back is told so; nothing else ever fails.
    assert {answer.status_code for answer in answers} <= {200, 503}, answers
    assert all(len(set(answer.json()["versions"])) == 1 for answer in good)
    lines = {record["request_id"]: record for record in own_server.access_records()}
    told = {
        (lines[answer.headers["x-request-id"]]["version"], answer.json()["versions"][0])
        for answer in good
        # The last lines of a server that is killed are lost with it.
        if answer.headers["x-request-id"] in lines
    }
    assert told >= {(1, 1), (4, 4)} and all(version == said for version, said in told), told
    for pid in {answer.json()["pid"] for answer in good}.difference(children(own_server.pid)):
        own_server.await_end(pid)


def test_rollback_tells_what_it_does(server: Server, folder: Path) -> None:
    name = "told"
    server.deploy(project(folder, name, 1, replicas=1))
    nothing = server.run("rollback", name)
    assert nothing.returncode == 1 and "no other deployment" in nothing.stderr, nothing
    server.deploy(project(folder, name, 2, replicas=1))
    server.deploy(project(folder, name, 3, replicas=1))
    assert server.ok("rollback", name, "1").strip() == f"rolling back {name} to version 1"
    eventually(lambda: status(server, name)["serving_version"] == 4, "it serves")
    assert server.post(name, json={}).json()["version"] == 1
    unknown = server.run("rollback", name, "9")
    assert unknown.returncode == 1 and "its versions are 4, 3, 2, 1" in unknown.stderr, unknown
    page = server.ok("get", name)
    assert "deployment   outcome" in page, page
    event = server.json("describe", name)["events"]
    assert any(e["kind"] == "rolled_back" and "as version 1 was" in e["message"] for e in event), event
    server.ok("delete", name)
    assert server.run("rollback", name).returncode == 1
