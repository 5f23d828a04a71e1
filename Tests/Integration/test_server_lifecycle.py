"""Every way in which a server may end, what it brings back, and what it needs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Callable

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.gates import open_gate
from blackbox.processes import is_alive
from blackbox.project import API, write
from blackbox.server import Server
from blackbox.versioned import VERSIONED, ask, await_ready, versioned


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


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_server_in_good_order(own_server: Server, folder: Path, sent: signal.Signals) -> None:
    own_server.deploy(versioned(folder / "project", 7))
    worker = ask(own_server)["pid"]
    assert own_server.process is not None
    own_server.process.send_signal(sent)
    assert own_server.process.wait(timeout=60) == 0
    own_server.await_end(worker)
