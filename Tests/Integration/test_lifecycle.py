"""Deploys, updates, deletes, and every way in which a process may end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Callable

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.gates import open_gate
from blackbox.http import RawConnection
from blackbox.processes import is_alive
from blackbox.project import API, write
from blackbox.server import Cortex, Server

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


class Traffic:
    """Requests without a pause until told to stop; every answer is kept."""

    def __init__(self, server: Server, name: str, clients: int = 4) -> None:
        self.url = server.url(name)
        self.answers: list[requests.Response] = []
        self.failures: list[Exception] = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.send) for _ in range(clients)]

    def __enter__(self) -> Traffic:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def send(self) -> None:
        with requests.Session() as session:
            while not self.ended.is_set():
                try:
                    self.answers.append(session.post(self.url, json={"n": 1}, timeout=60))
                except requests.RequestException as error:
                    self.failures.append(error)

    def await_version(self, version: int) -> None:
        """Returns when an answer is of that version."""
        eventually(
            lambda: any(a.ok and a.json()["version"] == version for a in self.answers[-20:]), f"version {version}"
        )


def test_a_new_version_takes_over_and_no_request_is_lost(server: Server, folder: Path) -> None:
    server.deploy(versioned(folder, 1))
    old = ask(server)["pid"]
    with Traffic(server, "versioned") as traffic:
        traffic.await_version(1)
        server.deploy(versioned(folder, 2))
        traffic.await_version(2)
    assert traffic.failures == []
    assert {answer.status_code for answer in traffic.answers} == {200}
    versions = [answer.json()["version"] for answer in traffic.answers]
    assert set(versions) == {1, 2}
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
    with Traffic(server, name) as traffic:
        traffic.await_version(1)
        (folder / "predictor.py").write_text(VERSIONED.replace('config["version"]', 'config["no-such-key"]'))
        done = server.run("deploy", "--wait", cwd=folder)
    assert done.returncode == 1, done
    assert "no-such-key" in done.stdout + done.stderr
    assert traffic.failures == []
    assert {answer.status_code for answer in traffic.answers} == {200}
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


def test_a_killed_server_comes_back_with_the_same_answers(own_server: Server, folder: Path) -> None:
    own_server.deploy(versioned(folder / "project", 7))
    own_server.deploy(versioned(folder / "other", 8, "other"))
    workers = [ask(own_server)["pid"], ask(own_server, "other")["pid"]]
    shutil.rmtree(folder / "project")
    own_server.kill()
    for worker in workers:
        own_server.await_end(worker)
    own_server.start()
    await_ready(own_server, "versioned")
    await_ready(own_server, "other")
    assert ask(own_server)["version"] == 7
    assert ask(own_server, "other")["version"] == 8


def test_killed_together_they_come_back_together(own_server: Server, folder: Path) -> None:
    own_server.deploy(versioned(folder / "project", 7, processes_per_replica=2))
    worker = ask(own_server)["pid"]
    own_server.kill()
    if is_alive(worker):
        os.kill(worker, signal.SIGKILL)
    own_server.start()
    await_ready(own_server, "versioned")
    assert ask(own_server)["version"] == 7


def test_a_stopped_server_leaves_no_process_and_keeps_its_apis(own_server: Server, folder: Path) -> None:
    own_server.deploy(versioned(folder / "project", 7))
    worker = ask(own_server)["pid"]
    own_server.ok("server", "stop")
    assert own_server.process is not None
    assert own_server.process.wait(timeout=60) == 0
    assert not is_alive(worker)
    assert own_server.run("server", "status").returncode == 1
    own_server.start()
    await_ready(own_server, "versioned")
    assert ask(own_server)["version"] == 7


def test_a_request_in_flight_is_answered_before_the_server_ends(own_server: Server, folder: Path) -> None:
    source = """
    class PythonPredictor:
        def predict(self, payload):
            with open(payload["gate"]) as gate:
                return gate.read()
    """
    own_server.deploy(write(folder / "project", {"predictor.py": source}, API("slow")))
    gate = folder / "gate"
    os.mkfifo(gate)
    answers: list[requests.Response] = []
    sender = threading.Thread(target=lambda: answers.append(own_server.post("slow", json={"gate": str(gate)})))
    sender.start()
    eventually(lambda: own_server.metrics("cortex_in_flight_requests", api="slow") == 1, "the request runs")
    assert own_server.process is not None
    own_server.process.terminate()
    eventually(lambda: refuses(own_server.port), "the server drains")
    open_gate(gate, "whole")
    sender.join()
    assert (answers[0].status_code, answers[0].text) == (200, "whole")
    assert own_server.process.wait(timeout=60) == 0


def refuses(port: int) -> bool:
    """Whether a new client is turned away."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=60).status_code == 503
    except requests.ConnectionError:
        return True


def test_an_api_that_failed_is_still_failed_after_a_restart(own_server: Server, folder: Path) -> None:
    own_server.deploy(versioned(folder / "project", 1))
    broken = write(folder / "project", {"predictor.py": VERSIONED.replace("config[", "missing[")})
    assert own_server.run("deploy", "--wait", cwd=broken).returncode == 1
    own_server.kill()
    own_server.start()
    await_ready(own_server, "versioned")
    assert ask(own_server)["version"] == 1


def test_two_servers_live_side_by_side(new_server: Callable[[str], Server], folder: Path) -> None:
    one, two = new_server("one"), new_server("two")
    one.deploy(versioned(folder / "project-one", 1))
    two.deploy(versioned(folder / "project-two", 2))
    assert one.port != two.port
    assert (ask(one)["version"], ask(two)["version"]) == (1, 2)
    one.stop()
    assert ask(two)["version"] == 2


def test_one_home_has_one_server(own_server: Server) -> None:
    done = own_server.run("server", "run")
    assert done.returncode == 1, done
    assert str(own_server.pid) in done.stderr, done.stderr
    assert own_server.get("/livez").status_code == 200


@pytest.mark.parametrize("flag", ["--port", "--operator-port"])
def test_a_port_that_is_taken_names_its_holder_and_the_flag(binary: Path, folder: Path, flag: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        done = Cortex(binary, folder / "home").run("server", "run", flag, str(port))
    assert done.returncode == 1, done
    for word in (str(port), str(os.getpid()), flag):
        assert word in done.stderr, done.stderr


def test_the_binary_works_alone(binary: Path, repository: Path, folder: Path) -> None:
    """On a machine with a Python and nothing else of ours: no uv, no source tree."""
    alone, tools = folder / "alone", folder / "tools"
    alone.mkdir()
    tools.mkdir()
    shutil.copy(binary, alone / "cortex")
    shutil.copytree(repository / "examples" / "text", alone / "text")
    python = getattr(sys, "_base_executable", sys.executable)
    for name in ("python3", f"python3.{sys.version_info.minor}"):
        (tools / name).symlink_to(python)
    for name in ("sh", "env", "uname", "cat"):
        (tools / name).symlink_to(str(shutil.which(name)))
    kept = ("HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "PIP_CONFIG_FILE", "UV_CONFIG_FILE")
    environment = {key: value for key, value in os.environ.items() if key in kept or "proxy" in key.lower()}
    environment |= {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "UV_"))}
    environment["PATH"] = str(tools)
    with Server(alone / "cortex", folder / "home", environment) as server:
        server.deploy(alone / "text")
        answer = server.post("text", data={"text": "A rose is a rose."}, headers={"Accept": "text/plain"})
        assert answer.text == "5 words, 1 s to read: rose\n"
        found = [file for file in (folder / "home").rglob("uv") if os.access(file, os.X_OK) and file.is_file()]
        assert found, "uv was installed below CORTEX_HOME"


def test_an_idle_server_is_small(own_server: Server) -> None:
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(own_server.pid)], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 80_000_000


def await_ready(server: Server, name: str) -> None:
    """Waits for an API that a starting server brings back."""
    eventually(lambda: server.get(f"{name}/readyz").status_code == 200, f"{name} is ready")


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


def test_the_log_names_the_request_that_a_worker_died_with(server: Server, folder: Path) -> None:
    source = "import os\n\nclass PythonPredictor:\n    def predict(self, payload):\n        os._exit(payload)\n"
    server.deploy(write(folder, {"predictor.py": source}, API("dies")))
    answer = requests.post(server.url("dies"), json=3, headers={"X-Request-ID": "the-last-one"}, timeout=60)
    assert answer.status_code == 502, answer.text
    assert answer.json()["request_id"] == "the-last-one"
    eventually(lambda: "[the-last-one]" in server.logs("dies"), "the request's id in the log")
    server.ok("delete", "dies")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_server_in_good_order(own_server: Server, folder: Path, sent: signal.Signals) -> None:
    own_server.deploy(versioned(folder / "project", 7))
    worker = ask(own_server)["pid"]
    assert own_server.process is not None
    own_server.process.send_signal(sent)
    assert own_server.process.wait(timeout=60) == 0
    own_server.await_end(worker)
