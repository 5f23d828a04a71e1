"""Several replicas of an API: how many there are, who answers, and what becomes of them."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from blackbox.conditions import eventually
from blackbox.invariants import Invariants
from blackbox.load import Load
from blackbox.project import API, write
from blackbox.server import Server

COUNTED = """
import os

class PythonPredictor:
    def __init__(self, config):
        self.version = config.get("version", 1)

    def predict(self, payload):
        if isinstance(payload, dict) and "gate" in payload:
            open(payload["gate"], "w").close()  # opens when the test reads: holds this thread till then
        return {"version": self.version, "pid": os.getpid()}
"""


def api(name: str, replicas: int = 2, version: int = 1, cpu: str | None = None, **predictor: Any) -> API:
    """An API with so many replicas."""
    sections: dict[str, Any] = {"autoscaling": {"min_replicas": replicas, "max_replicas": max(replicas, 4)}}
    if cpu is not None:
        sections["compute"] = {"cpu": cpu}
    return API(name, predictor={"config": {"version": version}, **predictor}, sections=sections)


def deploy(server: Server, folder: Path, *apis: API) -> None:
    """Deploys, and returns when all of it is live."""
    server.deploy(write(folder, {"predictor.py": COUNTED}, *apis))


def counts(server: Server, name: str) -> dict[str, int]:
    """Replicas, as `cortex get` counts them."""
    found: dict[str, int] = server.json("get", name)[0]["status"]["replica_counts"]
    return found


def status(server: Server, name: str) -> dict[str, Any]:
    """What `cortex get` says of an API."""
    found: dict[str, Any] = server.json("get", name)[0]["status"]
    return found


def at_once(server: Server, folder: Path, name: str, count: int) -> set[int]:
    """The processes that work when `count` requests run at the same time, which they must."""
    gates = [folder / f"gate-{name}-{number}" for number in range(count)]
    pids: list[int] = []
    for gate in gates:
        os.mkfifo(gate)
    senders = [
        threading.Thread(
            target=lambda gate=gate: pids.append(server.post(name, json={"gate": str(gate)}).json()["pid"])
        )
        for gate in gates
    ]
    for sender in senders:
        sender.start()
    eventually(
        lambda: (
            server.metrics("cortex_in_flight_requests", api=name) == count
            and server.metrics("cortex_queued_requests", api=name) == 0
        ),
        f"{count} requests run",
    )
    for gate in gates:
        gate.open().close()
    for sender in senders:
        sender.join()
    for gate in gates:
        gate.unlink()
    return set(pids)


def test_every_process_of_every_replica_works(server: Server, folder: Path) -> None:
    name = "replicas"
    deploy(server, folder / "project", api(name, 2, processes_per_replica=2))
    assert counts(server, name) == {"requested": 2, "ready": 2, "stale": 0, "failed": 0}
    assert server.metrics("cortex_workers", api=name, state="ready") == 4
    assert len(at_once(server, folder, name, 4)) == 4
    server.ok("delete", name)


def test_the_bound_is_each_replicas(server: Server, folder: Path) -> None:
    name = "bounded"
    sections = {"autoscaling": {"min_replicas": 2, "max_replica_concurrency": 1}}
    deploy(server, folder / "project", API(name, sections=sections))
    assert len(at_once(server, folder, name, 2)) == 2
    server.ok("delete", name)


def test_more_and_fewer_replicas_without_a_restart(server: Server, folder: Path) -> None:
    name = "scaled"
    deploy(server, folder / "project", api(name, 1))
    first = server.post(name, json={}).json()["pid"]
    with Load(server.url(name), json={}) as up:
        deploy(server, folder / "project", api(name, 3))
    assert counts(server, name)["ready"] == 3
    pids = at_once(server, folder, name, 3)
    assert first in pids and len(pids) == 3
    # A smaller `min_replicas` takes none away: how many there are between the bounds is for the load to say.
    single = api(name, 1)
    single.sections["autoscaling"]["max_replicas"] = 1
    with Load(server.url(name), json={}) as down:
        deploy(server, folder / "project", single)
        for pid in pids - {first}:
            server.await_end(pid)
    assert up.failures() + down.failures() == []
    assert counts(server, name) == {"requested": 1, "ready": 1, "stale": 0, "failed": 0}
    assert server.post(name, json={}).json()["pid"] == first
    server.ok("delete", name)


def test_a_replica_that_is_killed_costs_the_others_nothing(server: Server, folder: Path) -> None:
    name = "killed"
    deploy(server, folder / "project", api(name, 2))
    first, second = at_once(server, folder, name, 2)
    with Load(server.url(name), json={}) as load:
        for _ in range(5):
            os.kill(first, signal.SIGKILL)
            server.await_end(first)
            eventually(lambda: counts(server, name)["ready"] == 2, "the replica is back")
            first = load.await_other({first, second})
    # The one that ran when it was killed, each time, and nobody else.
    assert len(load.failures()) <= 5, load.failures()[:9]
    assert {answer[0] for answer in load.failures()} <= {502}
    assert second in at_once(server, folder, name, 2)
    server.ok("delete", name)


@pytest.mark.parametrize("replicas", [2, 3])
def test_C10_workers_that_are_killed_all_the_time_come_back(server: Server, folder: Path, replicas: int) -> None:
    name = f"shot-{replicas}"
    deploy(server, folder / "project", api(name, replicas))
    invariants = Invariants(server, lambda: server.post(name, json={}))
    kills = 0
    with Load(server.url(name), json={}) as load:
        for _ in range(30):
            good = [json.loads(body)["pid"] for code, body, _ in load.answers[-20:] if code == 200]
            if good:
                with suppress(ProcessLookupError):
                    os.kill(good[-1], signal.SIGKILL)
                    kills += 1
            time.sleep(0.1)  # nothing is awaited: this is how often they are killed
        eventually(lambda: counts(server, name)["ready"] == replicas, "all replicas are back")
    told = Counter(answer[0] for answer in load.answers)
    # 503 while all of them wait for their next start; and no kill costs more than what its worker ran.
    assert set(told) <= {200, 502, 503} and told[502] <= kills, (told, kills)
    for status, count in told.items():
        assert server.metrics("cortex_requests_total", api=name, code=str(status)) == count, (status, told)
    for failure in load.failures():
        assert json.loads(failure[1])["code"] in ("WORKER_CRASHED", "NOT_READY"), failure
    invariants.goes_on()
    server.ok("delete", name)


def test_C13_a_stopped_replica_gets_nothing_while_others_serve(server: Server, folder: Path) -> None:
    name = "stopped"
    deploy(server, folder / "project", api(name, 2))
    first, second = at_once(server, folder, name, 2)
    os.kill(first, signal.SIGSTOP)
    try:
        server.await_log(name, "is stopped")
        assert {server.post(name, json={}).json()["pid"] for _ in range(6)} == {second}
    finally:
        os.kill(first, signal.SIGCONT)
    eventually(lambda: counts(server, name)["ready"] == 2, "it is back")
    assert at_once(server, folder, name, 2) == {first, second}
    server.ok("delete", name)


def test_what_the_machine_does_not_bear_is_told(server: Server, folder: Path) -> None:
    name = "unbearable"
    project = write(folder / "project", {"predictor.py": COUNTED}, api(name, 3, cpu="500"))
    assert server.run("deploy", "--wait", cwd=project).returncode == 0
    now = eventually(lambda: s if (s := status(server, name))["replica_counts"]["ready"] == 1 else None, "one is ready")
    assert now["status_code"] == "status_stalled", now
    assert "room for 1 of 3 replicas" in now["reason"] and "compute.cpu" in now["reason"], now
    assert server.post(name, json={}).status_code == 200
    deploy(server, folder / "project", api(name, 1, cpu="500"))
    assert status(server, name)["status_code"] == "status_live"
    server.ok("delete", name)


@pytest.mark.parametrize("version", [1, 2])
def test_a_killed_server_has_all_replicas_again(own_server: Server, folder: Path, version: int) -> None:
    """Killed as soon as more of them are asked for, of the same version and with a new one."""
    name = "again"
    deploy(own_server, folder / "project", api(name, 1))
    project = write(folder / "project", {}, api(name, 3, version=version))
    assert own_server.run("deploy", "--no-wait", cwd=project).returncode == 0
    own_server.kill()
    own_server.start()
    eventually(
        lambda: counts(own_server, name) == {"requested": 3, "ready": 3, "stale": 0, "failed": 0}, "all are there"
    )
    assert status(own_server, name)["status_code"] == "status_live"
    assert own_server.post(name, json={}).json()["version"] == version
