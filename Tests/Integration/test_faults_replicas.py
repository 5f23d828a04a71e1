"""Faults in one of several replicas: rows C10, C12, C13 and C14 of the fault list, and what others notice of them."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.invariants import Invariants
from blackbox.load import Load
from blackbox.processes import MEASURABLE
from blackbox.project import API, write
from blackbox.server import Server

PREDICTOR = """
import ctypes
import os
import signal
import threading
import time

class PythonPredictor:
    def predict(self, payload, query_params):
        fault = query_params.get("fault")
        if fault == "exit":
            os._exit(3)
        if fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "segfault":
            ctypes.string_at(0)
        if fault == "memory":
            self.food = [b"x" * (1 << 20) for _ in range(300)]
            threading.Event().wait(60)  # until it is ended
        if fault == "hold":
            ctypes.PyDLL(None).sleep(3600)  # a C call that keeps the interpreter
        if fault == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.005)  # more than lets requests wait in the worker itself: each runs as soon as it is handed over
        return {"pid": os.getpid()}
"""
NAME = "several"
REPLICAS = 3


def deploy(server: Server, folder: Path, timeout: str) -> None:
    """Deploys it; where it is there already, only the time changes that a request has."""
    sections = {
        "autoscaling": {"min_replicas": REPLICAS, "max_replicas": REPLICAS},
        "networking": {"timeout": timeout},
        "compute": {"mem": "150Mi"},
    }
    server.deploy(write(folder / NAME, {"predictor.py": PREDICTOR}, API(NAME, sections=sections)))


@pytest.fixture(scope="module")
def api(server: Server, short_folder: Path) -> Iterator[str]:
    """Three replicas that misbehave on demand."""
    deploy(server, short_folder, timeout="1m")
    yield NAME
    server.ok("delete", NAME)


@pytest.fixture
def hurried(server: Server, api: str, short_folder: Path) -> Iterator[str]:
    """The same ones, where a request has four seconds."""
    deploy(server, short_folder, timeout="4s")
    yield api
    deploy(server, short_folder, timeout="1m")


def all_ready(server: Server) -> bool:
    """Whether all replicas are there."""
    counts = server.json("get", NAME)[0]["status"]["replica_counts"]
    return bool(counts == {"requested": REPLICAS, "ready": REPLICAS, "stale": 0, "failed": 0})


FAULTS = [
    pytest.param("exit", 502, "WORKER_CRASHED", "exit", id="C10-exit"),
    pytest.param("kill", 502, "WORKER_CRASHED", "killed", id="C10-kill"),
    pytest.param("segfault", 502, "WORKER_CRASHED", "signal", id="C10-segfault"),
    pytest.param(
        "memory",
        502,
        "WORKER_CRASHED",
        "out_of_memory",
        id="C14-memory",
        marks=pytest.mark.skipif(not MEASURABLE, reason="needs /proc"),
    ),
]


def costs_one_request(server: Server, api: str, fault: str, status: int, code: str, reason: str) -> None:
    """Sends the fault amid good requests: that one fails, the others do not, and its worker is replaced."""
    invariants = Invariants(server, lambda: server.post(api, json={}))
    eventually(lambda: all_ready(server), "all replicas are there")
    ends = server.metrics("cortex_worker_restarts_total", api=api, reason=reason)
    # As many clients as there are replicas: whatever is handed to the one that fails has others that can take it.
    with Load(server.url(api), clients=REPLICAS, json={}) as load:
        outcome = invariants.hold(status, lambda: server.post(f"{api}?fault={fault}", json={}), api=api)
        assert json.loads(outcome.body)["code"] == code
        eventually(
            lambda: server.metrics("cortex_worker_restarts_total", api=api, reason=reason) == ends + 1,
            f"its worker is replaced, once, for {reason}",
        )
        eventually(lambda: all_ready(server), "all replicas are there again")
    assert load.failures() == []
    # A worker that has ended a few times in a row is shown as a loop until it has lasted for a while.
    eventually(lambda: server.json("get", api)[0]["status"]["status_code"] == "status_live", "it is live")


@pytest.mark.parametrize(("fault", "status", "code", "reason"), FAULTS)
def test_a_fault_of_one_replica_costs_one_request(
    server: Server, api: str, fault: str, status: int, code: str, reason: str
) -> None:
    costs_one_request(server, api, fault, status, code, reason)


def test_C12_a_replica_that_does_not_come_back_costs_one_request(server: Server, hurried: str) -> None:
    costs_one_request(server, hurried, "hold", 504, "DEADLINE_EXCEEDED", "overdue")


@pytest.mark.skipif(not MEASURABLE, reason="only /proc tells that a process is stopped")
def test_C13_a_replica_that_stops_amid_a_request_costs_that_one(server: Server, hurried: str) -> None:
    api = hurried
    invariants = Invariants(server, lambda: server.post(api, json={}))
    eventually(lambda: all_ready(server), "all replicas are there")
    known: set[int] = set()

    def learn() -> bool:
        known.add(server.post(api, json={}).json()["pid"])
        return len(known) == REPLICAS

    with Load(server.url(api), clients=REPLICAS, json={}) as load:
        eventually(learn, "each replica has answered")
        outcome = invariants.hold(504, lambda: server.post(f"{api}?fault=stop", json={}), api=api)
        assert json.loads(outcome.body)["code"] == "DEADLINE_EXCEEDED"
        stopped = next(
            pid for pid in known if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        )
        others = [json.loads(body)["pid"] for code, body, _ in load.answers[-20:] if code == 200]
        assert others and stopped not in others
        os.kill(stopped, signal.SIGCONT)
        # Its late answer is dropped, and it is as good as the others.
        eventually(lambda: server.post(api, json={}).json()["pid"] == stopped, "it answers again")
    assert load.failures() == []
    assert all_ready(server)


def test_C10_all_replicas_at_once(server: Server, api: str) -> None:
    """Nobody is left: what runs is lost, what waits and what comes waits for the first that is back."""
    eventually(lambda: all_ready(server), "all replicas are there")
    with Load(server.url(api), clients=8, json={}) as load:
        eventually(
            lambda: len({body for code, body, _ in load.answers if code == 200}) == REPLICAS, "all have answered"
        )
        pids = {json.loads(body)["pid"] for code, body, _ in load.answers if code == 200}
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        load.await_other(pids)
    lost = [code for code, _, _ in load.failures()]
    # Each replica runs one, and no more than one is lost with each.
    assert set(lost) <= {502} and len(lost) <= REPLICAS, load.failures()[:9]
    eventually(lambda: all_ready(server), "all replicas are there again")
    eventually(lambda: server.json("get", api)[0]["status"]["status_code"] == "status_live", "it is live")


def test_I5_each_of_many_lost_requests_is_told_once(server: Server, api: str) -> None:
    invariants = Invariants(server, lambda: server.post(api, json={}))
    eventually(lambda: all_ready(server), "all replicas are there")
    before = server.metrics("cortex_requests_total", api=api)
    answers: list[requests.Response] = []
    for number in range(6):
        fault = "exit" if number % 2 else "none"
        answers.append(server.post(f"{api}?fault={fault}", json={}))
    assert [answer.status_code for answer in answers] == [200, 502] * 3
    ids = [answer.headers["x-request-id"] for answer in answers]
    eventually(lambda: all(server.access_lines(each) for each in ids), "each has its line")
    for answer in answers:
        (line,) = server.access_lines(answer.headers["x-request-id"])
        assert (line["status"], line["api"]) == (answer.status_code, api)
        assert line["worker"].startswith(f"{api}-"), line
    assert server.metrics("cortex_requests_total", api=api) == before + len(answers)
    invariants.goes_on()
