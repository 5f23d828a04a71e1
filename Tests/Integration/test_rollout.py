"""From one version to the next and back, under load: nobody notices, and what is broken takes no place."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.gates import open_gate
from blackbox.load import Load
from blackbox.processes import children
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


@pytest.mark.parametrize("way", sorted(BROKEN))
def test_a_broken_version_unseats_nothing(server: Server, folder: Path, way: str) -> None:
    name = f"broken-{way}"
    server.deploy(project(folder, name, 1))
    with Load(server.url(name), json={}) as load:
        done = server.run("deploy", "--wait", cwd=project(folder, name, 2, BROKEN[way]))
        assert done.returncode == 1, done
        now = status(server, name)
        assert now["status_code"] == "status_rollout_failed", now
        assert now["reason"] and now["replica_counts"]["stale"] == 2 and now["replica_counts"]["failed"] >= 1, now
    assert load.failures() == []
    assert set(versions(load)) == {1}
    # What is visibly broken is replaced without force.
    server.deploy(project(folder, name, 3))
    await_only(server, name, 3)
    server.ok("delete", name)


def test_a_broken_version_gives_the_place_back_that_was_made_for_it(server: Server, folder: Path) -> None:
    name = "made-room"
    strategy = {"max_surge": 0, "max_unavailable": 2}
    server.deploy(project(folder, name, 1, update_strategy=strategy))
    broken = project(folder, name, 2, BROKEN["constructor"], update_strategy=strategy)
    assert server.run("deploy", "--wait", cwd=broken).returncode == 1
    eventually(lambda: status(server, name)["replica_counts"]["stale"] == 2, "the old version has its replicas again")
    assert server.post(name, json={}).json()["version"] == 1
    server.ok("delete", name)


def test_a_version_that_never_becomes_ready_is_replaced_with_force(server: Server, folder: Path) -> None:
    name = "never-ready"
    server.deploy(project(folder, name, 1, replicas=1))
    source = PREDICTOR.replace('self.version = config["version"]', "import time; time.sleep(3600)")
    with Load(server.url(name), json={}) as load:
        hanging = project(folder, name, 2, source, replicas=1)
        assert server.run("deploy", "--wait", "--timeout", "1s", cwd=hanging).returncode == 3
        assert status(server, name)["status_code"] == "status_updating"
        refused = server.run("deploy", "--wait", cwd=project(folder, name, 3, replicas=1))
        assert refused.returncode == 1 and "--force" in refused.stderr + refused.stdout, refused
        done = server.run("deploy", "--force", "--wait", cwd=folder / "project")
        assert done.returncode == 0, done
    assert load.failures() == []
    assert set(versions(load)) == {1, 3}
    server.ok("delete", name)


def test_C14_a_version_that_needs_too_much_memory_unseats_nothing(server: Server, folder: Path) -> None:
    name = "hungry"
    compute = {"mem": "150Mi"}
    server.deploy(project(folder, name, 1, replicas=1, compute=compute))
    source = PREDICTOR.replace("self.version =", "self.weights = bytearray(400 << 20); self.version =")
    with Load(server.url(name), json={}) as load:
        done = server.run("deploy", "--wait", cwd=project(folder, name, 2, source, replicas=1, compute=compute))
        assert done.returncode == 1, done
        now = status(server, name)
        assert now["status_code"] == "status_rollout_failed" and "of 150 MiB (compute.mem)" in now["reason"], now
    assert load.failures() == []
    assert set(versions(load)) == {1}
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


def test_a_version_that_ends_at_the_sample_unseats_nothing(server: Server, folder: Path) -> None:
    name = "dies-at-sample"
    readiness = {"readiness": {"sample": "sample.json"}}
    write(folder / "project", {"sample.json": "{}"})
    server.deploy(project(folder, name, 1, PREDICTOR, **readiness))
    dying = PREDICTOR.replace("return {", "os._exit(3); return {")
    with Load(server.url(name), json={}) as load:
        done = server.run("deploy", "--wait", cwd=project(folder, name, 2, dying, **readiness))
        assert done.returncode == 1, done
        now = status(server, name)
        assert now["status_code"] == "status_rollout_failed" and "ended while it ran it" in now["reason"], now
        assert now["replica_counts"]["stale"] == 2, now
    assert load.failures() == []
    assert set(versions(load)) == {1}
    server.ok("delete", name)


LATER = {
    "the first request": PREDICTOR.replace("return {", "os._exit(3); return {"),
    "a while": "import threading\n"
    + PREDICTOR.replace("self.version =", "threading.Timer(0.5, os._exit, [3]).start(); self.version ="),
}


@pytest.mark.parametrize("when", LATER)
def test_a_version_that_ends_later_is_shown_and_rolled_back(server: Server, folder: Path, when: str) -> None:
    """It was ready, and nothing asked more of it: what tells is the status, and the way back is short."""
    name = f"dies-after-{when.rpartition(' ')[2]}"
    server.deploy(project(folder, name, 1))
    with Load(server.url(name), json={}) as load:
        server.ok("deploy", "--no-wait", cwd=project(folder, name, 2, LATER[when]))
        eventually(lambda: "crash loop" in status(server, name)["message"], "the loop is shown")
        assert "exited with status 3" in status(server, name)["reason"]
        server.ok("rollback", name)
        await_only(server, name, 1)
    assert {code for code, _, _ in load.answers} <= {200, 502, 503}
    with Load(server.url(name), json={}) as after:
        eventually(lambda: len(after.answers) > 50, "requests are answered again")
    assert after.failures() == []
    server.ok("delete", name)


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


def test_F12_a_deploy_that_is_interrupted_goes_on_in_the_server(server: Server, folder: Path) -> None:
    name = "interrupted"
    server.deploy(project(folder, name, 1))
    gate = folder / "gate"
    os.mkfifo(gate)
    waiting = PREDICTOR.replace("self.version =", f"open({str(gate)!r}).close(); self.version =")
    with Load(server.url(name), json={}) as load:
        run = subprocess.Popen(
            [server.binary, "deploy", "--wait"],
            cwd=project(folder, name, 2, waiting),
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: status(server, name)["status_code"] == "status_updating", "the update is under way")
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=60) != 0
        assert status(server, name)["status_code"] == "status_updating"
        # The second replica comes to the gate when the first has passed it.
        open_gate(gate)
        eventually(lambda: status(server, name)["serving_version"] == 2, "the first replica is ready")
        open_gate(gate)
        await_only(server, name, 2)
    assert load.failures() == []
    server.ok("delete", name)


def test_F12_many_deploys_at_once_come_to_one_end(server: Server, folder: Path) -> None:
    name = "crowd"
    server.deploy(project(folder, name, 0, replicas=1))
    folders = [project(folder / str(number), name, number, replicas=1) for number in range(1, 5)]
    with Load(server.url(name), json={}) as load:
        runs = [
            subprocess.Popen(
                [server.binary, "deploy", "--force", "--no-wait"],
                cwd=each,
                env=server.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for each in folders
        ]
        assert [run.wait(timeout=60) for run in runs] == [0] * len(runs)
        wanted = server.json("get", name)[0]["deployment"]["version"]
        eventually(lambda: status(server, name)["serving_version"] == wanted, "the last one serves")
        eventually(lambda: status(server, name)["replica_counts"]["stale"] == 0, "and nobody else")
    assert load.failures() == []
    server.ok("delete", name)
