"""Deploys, updates, deletes, and workers that end."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.load import Load
from blackbox.processes import is_alive
from blackbox.project import API, write
from blackbox.server import Server
from blackbox.versioned import VERSIONED, ask, await_ready, versioned


def await_version(load: Load, version: int) -> None:
    """Returns when an answer is of that version."""

    def has_answered() -> bool:
        return any(code == 200 and json.loads(body)["version"] == version for code, body, _ in load.answers[-20:])

    eventually(has_answered, f"version {version} answers")


def test_a_new_version_takes_over_and_no_request_is_lost(server: Server, folder: Path) -> None:
    server.deploy(versioned(folder, 1))
    old = ask(server)["pid"]
    with Load(server.url("versioned"), clients=4, json={"n": 1}) as load:
        await_version(load, 1)
        server.deploy(versioned(folder, 2))
        await_version(load, 2)
    assert load.failures() == []
    assert {json.loads(body)["version"] for _, body, _ in load.answers} == {1, 2}
    assert ask(server)["version"] == 2
    server.await_end(old)
    server.ok("delete", "versioned")


def test_a_body_that_is_still_coming_when_the_version_changes_goes_to_the_new_one(server: Server, folder: Path) -> None:
    name = "half-sent"
    server.deploy(versioned(folder, 1, name))
    head = f"POST /{name} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n"
    with RawConnection(server.port) as connection:
        connection.send(head.encode() + b'{"n"')
        server.deploy(versioned(folder, 2, name))
        connection.send(b": 1}")
        answer = connection.answer()
    assert answer is not None
    assert answer.status == 200, answer
    assert json.loads(answer.body)["version"] == 2
    server.ok("delete", name)


def test_what_needs_no_new_workers_starts_none(own_server: Server, folder: Path) -> None:
    project = versioned(folder / "project", 1, "same")
    own_server.deploy(project)
    before = ask(own_server, "same")["pid"]
    config = project / "cortex.yaml"
    config.write_text("# a comment\n" + config.read_text())
    done = own_server.run("deploy", "--wait", cwd=project)
    assert done.returncode == 0, done
    assert "up to date" in done.stdout, done
    api = API("same", predictor={"config": {"version": 1}}, sections={"autoscaling": {"max_replica_concurrency": 7}})
    own_server.deploy(write(project, {}, api))
    assert ask(own_server, "same")["pid"] == before
    moved = API("same", predictor={"config": {"version": 1}}, sections={"networking": {"endpoint": "/moved"}})
    own_server.deploy(write(project, {}, moved))
    assert ask(own_server, "moved")["pid"] == before
    assert own_server.post("same", json={}).status_code == 404
    own_server.ok("refresh", "same")
    eventually(lambda: ask(own_server, "moved")["pid"] != before, "a refresh replaces the worker")


def test_numbers_of_the_config_keep_their_type(own_server: Server, folder: Path) -> None:
    source = "class PythonPredictor:\n    def __init__(self, config):\n        self.config = config\n\n"
    source += "    def predict(self):\n        return repr(self.config['numbers'])\n"
    api = API("numbers", predictor={"config": {"numbers": [1, 1.0, -0.5]}})
    own_server.deploy(write(folder / "project", {"predictor.py": source}, api))
    said = "[1, 1.0, -0.5]"
    assert own_server.post("numbers", json=0).text == said
    done = own_server.run("deploy", "--wait", cwd=folder / "project")
    assert "up to date" in done.stdout, done
    own_server.kill()
    own_server.start()
    await_ready(own_server, "numbers")
    assert own_server.post("numbers", json=0).text == said


def test_a_version_that_fails_leaves_the_old_one_serving(server: Server, folder: Path) -> None:
    name = "fails-later"
    server.deploy(versioned(folder, 1, name))
    with Load(server.url(name), clients=4, json={"n": 1}) as load:
        await_version(load, 1)
        (folder / "predictor.py").write_text(VERSIONED.replace('config["version"]', 'config["no-such-key"]'))
        done = server.run("deploy", "--wait", cwd=folder)
    assert done.returncode == 1, done
    assert "no-such-key" in done.stdout + done.stderr
    assert load.failures() == []
    assert ask(server, name)["version"] == 1
    status = server.json("get", name)[0]
    assert status["status"]["status_code"] == "status_rollout_failed", status
    log = server.logs(name)
    assert "Traceback" in log and "KeyError" in log and "predictor.py" in log
    server.deploy(versioned(folder, 3, name))
    assert ask(server, name)["version"] == 3
    server.ok("delete", name)


def test_the_same_deploy_twice_changes_nothing(server: Server, folder: Path) -> None:
    name = "twice"
    server.deploy(versioned(folder, 1, name))
    before = ask(server, name)["pid"]
    done = server.run("deploy", "--wait", cwd=folder)
    assert done.returncode == 0 and "up to date" in done.stdout + done.stderr, done
    assert ask(server, name)["pid"] == before
    server.ok("delete", name)


def test_a_deleted_api_is_gone_at_once(server: Server, folder: Path) -> None:
    name = "deleted"
    server.deploy(versioned(folder, 1, name))
    worker = ask(server, name)["pid"]
    server.ok("delete", name)
    assert server.post(name, json={}).status_code == 404
    server.await_end(worker)
    assert [api for api in server.json("get") if api["spec"]["name"] == name] == []
    done = server.run("delete", name)
    assert done.returncode == 1 and name in done.stderr, done


def test_every_process_and_thread_works_at_once(server: Server, folder: Path) -> None:
    name = "parallel"
    source = """
    import os

    class PythonPredictor:
        def predict(self, payload):
            open(payload["here"], "w").close()  # opens when the test reads: holds this thread till then
            return os.getpid()
    """
    api = API(name, predictor={"processes_per_replica": 2, "threads_per_process": 2})
    server.deploy(write(folder, {"predictor.py": source}, api))
    gates = [folder / f"gate-{number}" for number in range(4)]
    pids: list[int] = []
    for gate in gates:
        os.mkfifo(gate)
    senders = [
        threading.Thread(target=lambda gate=gate: pids.append(server.post(name, json={"here": str(gate)}).json()))
        for gate in gates
    ]
    for sender in senders:
        sender.start()
    eventually(
        lambda: (
            server.metrics("cortex_in_flight_requests", api=name) == 4
            and server.metrics("cortex_queued_requests", api=name) == 0
        ),
        "four requests run",
    )
    for gate in gates:
        gate.open().close()
    for sender in senders:
        sender.join()
    assert sorted(pids.count(pid) for pid in set(pids)) == [2, 2]
    server.ok("delete", name)


def test_a_killed_worker_is_replaced(own_server: Server, folder: Path) -> None:
    own_server.deploy(versioned(folder / "project", 1))
    before = ask(own_server)["pid"]
    os.kill(before, signal.SIGKILL)
    own_server.await_end(before)
    after = ask(own_server)
    assert after["version"] == 1 and after["pid"] != before


PARENT = """
import subprocess

class PythonPredictor:
    def __init__(self, config):
        self.child = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def predict(self):
        return {"child": self.child.pid}
"""


@pytest.mark.parametrize("end", ["delete", "update", "stop", "kill"])
def test_what_a_predictor_starts_ends_with_its_worker(own_server: Server, folder: Path, end: str) -> None:
    project = write(folder / "project", {"predictor.py": PARENT}, API("parent"))
    own_server.deploy(project)
    child = own_server.post("parent", json=0).json()["child"]
    assert is_alive(child)
    if end == "delete":
        own_server.ok("delete", "parent")
    elif end == "update":
        own_server.deploy(write(project, {"predictor.py": PARENT + "# changed\n"}))
    elif end == "stop":
        own_server.stop()
    else:
        own_server.kill()
    own_server.await_end(child)


FAREWELL = """
import atexit
import os
from pathlib import Path

class PythonPredictor:
    def __init__(self, config):
        atexit.register(Path(config["folder"], str(os.getpid())).touch)

    def predict(self):
        return {"pid": os.getpid()}
"""


@pytest.mark.parametrize("end", ["delete", "update", "refresh", "stop"])
def test_a_worker_that_is_not_needed_any_more_ends_by_itself(own_server: Server, folder: Path, end: str) -> None:
    """What it has registered for its end runs, and nobody is told that it was killed."""
    (folder / "ends").mkdir()
    api = API("farewell", predictor={"config": {"folder": str(folder / "ends")}})
    project = write(folder / "project", {"predictor.py": FAREWELL}, api)
    own_server.deploy(project)
    pid = own_server.post("farewell", json=0).json()["pid"]
    if end == "delete":
        own_server.ok("delete", "farewell")
    elif end == "update":
        own_server.deploy(write(project, {"predictor.py": FAREWELL + "# changed\n"}))
    elif end == "refresh":
        own_server.ok("refresh", "farewell")
    else:
        own_server.stop()
    own_server.await_end(pid)
    assert (folder / "ends" / str(pid)).exists()
    assert "killed" not in own_server.tail()
    if end in ("update", "refresh"):
        assert "killed" not in own_server.logs("farewell")
        assert own_server.metrics("cortex_worker_restarts_total", api="farewell") == 0


def test_the_log_names_the_request_that_a_worker_died_with(server: Server, folder: Path) -> None:
    source = "import os\n\nclass PythonPredictor:\n    def predict(self, payload):\n        os._exit(payload)\n"
    server.deploy(write(folder, {"predictor.py": source}, API("dies")))
    answer = requests.post(server.url("dies"), json=3, headers={"X-Request-ID": "the-last-one"}, timeout=60)
    assert answer.status_code == 502, answer.text
    assert answer.json()["request_id"] == "the-last-one"
    eventually(lambda: "[the-last-one]" in server.logs("dies"), "the request's id in the log")
    server.ok("delete", "dies")
