"""I3: a fault repeated a hundred times leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.admission import message
from blackbox.attacks import ATTACKS, ECHO, Attack
from blackbox.conditions import eventually
from blackbox.http import RawConnection, exchange
from blackbox.processes import MEASURABLE, Footprint, children
from blackbox.project import API, write
from blackbox.server import Server

PREDICTORS = Path(__file__).parent / "predictors"
SLACK = 12 * 2**20
"""Bytes: what allocators may round up to."""

pytestmark = pytest.mark.skipif(not MEASURABLE, reason="needs /proc")


@pytest.fixture(scope="module")
def apis(server: Server, short_folder: Path) -> None:
    """An echo, one that fails on demand, one that takes its time, one that needs a key, one with little room."""
    sources = ("echo.py", "faulty.py", "gate.py")
    files: dict[str, str | bytes] = {name: (PREDICTORS / name).read_text() for name in sources}
    key = short_folder / "growth-key"
    key.write_text("k-growth\n")
    keys, one = {"api_keys": [{"file": str(key)}]}, {"max_replica_concurrency": 1}
    server.deploy(
        write(
            short_folder / "growth",
            files,
            API("growth-echo", "echo.py"),
            API("growth-faulty", "faulty.py"),
            API("growth-gate", "gate.py"),
            API("growth-locked", "echo.py", sections={"networking": keys}),
            API("growth-full", "gate.py", sections={"autoscaling": one}),
        )
    )


def gone_client(server: Server, _: requests.Session) -> None:
    """Leaves before its answer."""
    exchange(server.port, b"POST /growth-echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n[1", within=0.001)


def gone_reader(server: Server, _: requests.Session) -> None:
    """Leaves in the middle of an answer that has no end."""
    with RawConnection(server.port) as connection:
        connection.send(message("growth-gate", {"do": "stream"}))
        assert connection.socket.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"


def late_answer(server: Server, session: requests.Session) -> None:
    """Has no time for what it asks, nor for what waits behind it."""
    with RawConnection(server.port) as connection:
        connection.send(message("growth-gate", {"do": "sleep", "seconds": 0.02}, "X-Request-Timeout: 10ms"))
        behind = session.post(
            server.url("growth-gate"), json={"do": "nothing"}, headers={"X-Request-Timeout": "5ms"}, timeout=60
        )
        answer = connection.answer()
    assert answer is not None and {answer.status, behind.status_code} <= {200, 504}, (answer, behind)


def one_too_many(server: Server, session: requests.Session) -> None:
    """Finds no room while another's request runs."""
    with RawConnection(server.port) as connection:
        connection.send(message("growth-full", {"do": "sleep", "seconds": 0.01}))
        answer = session.post(server.url("growth-full"), json={"do": "nothing"}, timeout=60)
        first = connection.answer()
    assert first is not None and {first.status, answer.status_code} <= {200, 503}, (first, answer)


DAMAGED = b"\x1f\x8b\x08" + bytes(40_000)
FAULTS: dict[str, Any] = {
    "malformed JSON": lambda server, session: session.post(
        server.url("growth-echo"), data=b"{", headers={"Content-Type": "application/json"}, timeout=60
    ),
    "malformed HTTP": lambda server, _: exchange(server.port, b"NONSENSE\r\n\r\n"),
    "unknown API": lambda server, session: session.post(server.url("no-such-api"), timeout=60),
    "spooled body": lambda server, session: session.post(server.url("growth-echo"), data=bytes(2**21), timeout=60),
    "upload": lambda server, session: session.post(
        server.url("growth-echo"), files={"file": ("f.bin", bytes(300_000))}, timeout=60
    ),
    "predictor that raises": lambda server, session: session.post(
        server.url("growth-faulty?fault=ValueError"), json={}, timeout=60
    ),
    "half a body": gone_client,
    "D09 a full queue": one_too_many,
    "D11 deadlines": late_answer,
    "D15 a reader that leaves": gone_reader,
    "H11 metrics": lambda server, session: session.get(f"{server.operator}/metrics", timeout=60),
    "H13 a wrong key": lambda server, session: session.post(
        server.url("growth-locked"), json={}, headers={"X-API-Key": "k-wrong"}, timeout=60
    ),
    "H14 another host's name": lambda server, session: session.get(
        f"{server.operator}/", headers={"Host": "evil.example"}, timeout=60
    ),
    "damaged gzip": lambda server, session: session.post(
        server.url("growth-echo"), data=DAMAGED, headers={"Content-Encoding": "gzip"}, timeout=60
    ),
}


@pytest.mark.usefixtures("apis")
@pytest.mark.parametrize("name", FAULTS)
def test_I3_a_hundred_repeats_grow_nothing(server: Server, name: str) -> None:
    def repeat(times: int) -> None:
        with requests.Session() as session:
            for _ in range(times):
                try:
                    FAULTS[name](server, session)
                except OSError:
                    continue

    worker = server.post("growth-echo?answer=pid", json={}).json()
    faulty = server.post("growth-faulty", json={}).json()["pid"]
    gate = server.post("growth-gate", json={"do": "nothing"}).json()["pid"]
    pids = {"server": server.pid, "echo": worker, "faulty": faulty, "gate": gate}
    repeat(100)  # caches and pools fill
    before = {role: Footprint.of(pid) for role, pid in pids.items()}
    repeat(100)

    def has_not_grown() -> bool:
        for role, pid in pids.items():
            now = Footprint.of(pid)
            assert now.descriptors <= before[role].descriptors + 2, (role, before[role], now)
            assert now.resident <= before[role].resident + SLACK, (role, before[role], now)
        assert server.metrics("cortex_in_flight_requests") == 0
        assert server.metrics("cortex_queued_requests") == 0
        return True

    eventually(has_not_grown, "descriptors and memory are as before")
    spool = [file for file in server.home.rglob("*") if file.is_file() and "spool" in file.parts]
    assert spool == []


CHURN = """
import os

class PythonPredictor:
    def predict(self, payload):
        return os.getpid()
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["refreshes", "kills", "counts"])
def test_I3_replicas_that_come_and_go_leave_nothing_behind(own_server: Server, folder: Path, way: str) -> None:
    name = f"churned-by-{way}"

    def deploy(replicas: int) -> None:
        sections = {"autoscaling": {"min_replicas": replicas, "max_replicas": replicas}}
        own_server.deploy(write(folder / "project", {"predictor.py": CHURN}, API(name, sections=sections)))

    def is_steady() -> bool:
        status = own_server.json("get", name)[0]["status"]
        assert status["replica_counts"] == {"requested": 2, "ready": 2, "stale": 0, "failed": 0}, status
        assert status["status_code"] == "status_live", status
        assert own_server.metrics("cortex_workers", api=name) == 2
        return True

    def once() -> None:
        if way == "kills":
            pid = own_server.post(name, json={}).json()
            os.kill(pid, signal.SIGKILL)
            own_server.await_end(pid)
        elif way == "refreshes":
            before = own_server.post(name, json={}).json()
            own_server.ok("refresh", name)
            own_server.await_end(before)
        else:
            deploy(4)
            deploy(2)
        eventually(is_steady, "two replicas are there, and nothing else")

    deploy(2)
    for _ in range(10):  # caches and pools fill
        once()
    before = Footprint.of(own_server.pid)
    for _ in range(30):
        once()

    def has_not_grown() -> bool:
        now = Footprint.of(own_server.pid)
        assert now.descriptors <= before.descriptors + 2, (before, now)
        assert now.resident <= before.resident + SLACK, (before, now)
        assert len(children(own_server.pid)) == 2, children(own_server.pid)
        return True

    eventually(has_not_grown, "descriptors, memory and processes are as before")
    assert len(list((own_server.home / "versions").iterdir())) == 1
    assert len(list((own_server.home / "run" / "workers").iterdir())) == 2


def carry_out(server: Server, attack: Attack) -> None:
    """One attack, to its last answer."""
    with RawConnection(server.port) as connection:
        connection.send(attack.data)
        for _ in range(attack.count):
            connection.answer(attack.method)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_I3_every_attack_a_hundred_times_grows_nothing(server: Server, short_folder: Path) -> None:
    """One by one, so that the table says which attack is to blame."""
    source = (PREDICTORS / "echo.py").read_text()
    server.deploy(write(short_folder / ECHO, {"predictor.py": source}, API(ECHO)))
    worker = server.post(f"{ECHO}?answer=pid", json={}).json()
    for attack in ATTACKS:
        for _ in range(10):  # caches and pools fill
            carry_out(server, attack)
    first = Footprint.of(server.pid)
    first_of_worker = Footprint.of(worker)
    before, lines = first, []
    for attack in ATTACKS:
        for _ in range(100):
            carry_out(server, attack)
        now = Footprint.of(server.pid)
        growth = (now.resident - before.resident) / 2**20
        lines.append(f"{growth:+8.2f} MiB {now.descriptors - before.descriptors:+4} descriptors  {attack.id}")
        before = now
    table = "\n".join(lines)
    print(table)

    def is_flat() -> bool:
        now, now_of_worker = Footprint.of(server.pid), Footprint.of(worker)
        assert now.descriptors <= first.descriptors + 2, (first, now, table)
        assert now.resident <= first.resident + SLACK, (first, now, table)
        assert now_of_worker.descriptors <= first_of_worker.descriptors + 2, (first_of_worker, now_of_worker)
        assert now_of_worker.resident <= first_of_worker.resident + SLACK, (first_of_worker, now_of_worker)
        assert server.metrics("cortex_in_flight_requests") == server.metrics("cortex_queued_requests") == 0
        return True

    eventually(is_flat, "descriptors and memory are as before")
    assert [file for file in server.home.rglob("*") if file.is_file() and "spool" in file.parts] == []
