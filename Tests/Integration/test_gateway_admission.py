"""Who is taken in, and what becomes of those who leave: rows D09 and D13 of the fault list."""

from __future__ import annotations

import json
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from blackbox.admission import LIMIT, Clients, Gate, await_gauge, await_note, deploy_gates, message
from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.invariants import Invariants
from blackbox.processes import Footprint
from blackbox.project import API, write
from blackbox.server import Server

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture(scope="module", autouse=True)
def gates(server: Server, short_folder: Path) -> None:
    """The APIs that these tests share."""
    deploy_gates(server, short_folder)


@pytest.fixture
def invariants(server: Server) -> Invariants:
    """Checks that an API with room answers."""
    return Invariants(server, lambda: server.post("gate-many", json={"do": "nothing"}))


# D09: the bound


@pytest.mark.parametrize("is_warm", [False, True], ids=["one at a time", "handed over early"])
def test_D09_exactly_the_limit_is_taken_in_and_one_more_refused(
    server: Server, invariants: Invariants, gate: Gate, is_warm: bool
) -> None:
    with requests.Session() as session:
        for _ in range(600 if is_warm else 0):
            assert session.post(server.url("gate"), json={"do": "nothing"}).status_code == 200
    before = server.metrics("cortex_shed_requests_total", api="gate", reason="queue_full")
    with Clients(server, "gate") as clients:
        first = clients.send(gate.payload())
        rest = [clients.send({"do": "nothing"}) for _ in range(LIMIT - 1)]
        gate.await_arrival()
        clients.await_in_flight(LIMIT)
        outcome = invariants.hold(503, lambda: server.post("gate", json={"do": "nothing"}), api="gate")
        body = json.loads(outcome.body)
        assert body["code"] == "QUEUE_FULL"
        assert f"{LIMIT} requests are queued or running" in body["error"]
        assert "autoscaling.max_replica_concurrency" in body["hint"]
        assert 1 <= int(outcome.headers["retry-after"]) <= 60
        assert body["detail"] == {
            "reason": "queue_full",
            "depth": LIMIT,
            "limit": LIMIT,
            "retry_after": int(outcome.headers["retry-after"]),
        }
        took = [60.0]
        with RawConnection(server.port) as connection:
            # A machine that is busy with something else has its moments, too.
            while min(took) > 0.005 and len(took) <= 2000:
                start = time.perf_counter()
                connection.send(message("gate", {"do": "nothing"}))
                answer = connection.answer()
                took.append(time.perf_counter() - start)
                assert answer is not None and answer.status == 503
        assert min(took) < 0.005, took
        assert server.metrics("cortex_shed_requests_total", api="gate", reason="queue_full") == before + len(took)
        clients.await_in_flight(LIMIT)
        gate.open()
        for connection in [first, *rest]:
            answer = connection.answer()
            assert answer is not None and answer.status == 200, answer
        clients.await_in_flight(0)
    assert server.post("gate", json={"do": "nothing"}).status_code == 200


def test_D09_who_would_be_refused_need_not_send_a_large_body(server: Server, gate: Gate) -> None:
    head = b"POST /gate HTTP/1.1\r\nHost: a\r\nContent-Length: 104857600\r\n"
    with Clients(server, "gate") as clients, RawConnection(server.port) as asking, RawConnection(server.port) as bold:
        asking.send(head + b"Expect: 100-continue\r\n\r\n")
        assert asking.socket.recv(64) == CONTINUE, "there is room"
        clients.send(gate.payload())
        gate.await_arrival()
        for _ in range(LIMIT - 1):
            clients.send({"do": "nothing"})
        clients.await_in_flight(LIMIT)
        with RawConnection(server.port) as late:
            late.send(head + b"Expect: 100-continue\r\n\r\n")
            assert late.socket.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 503"
        # What is more than the gateway holds in memory is enough for it to ask.
        bold.send(head + b"\r\n" + bytes(2 << 20))
        answer = bold.answer()
        assert answer is not None and answer.status == 503, answer
        assert json.loads(answer.body)["code"] == "QUEUE_FULL"
        assert answer.values("connection") == ["close"]


def test_retry_after_tells_how_long_those_take_that_are_here(server: Server, gate: Gate) -> None:
    assert server.post("gate-slow", json={"do": "sleep", "seconds": 0.5}).status_code == 200
    with Clients(server, "gate-slow") as clients:
        clients.send(gate.payload())
        gate.await_arrival()
        for _ in range(11):
            clients.send({"do": "nothing"})
        clients.await_in_flight(12)
        refused = server.post("gate-slow", json={"do": "nothing"})
    assert refused.status_code == 503
    # Twelve at half a second, and what the machine adds.
    assert 6 <= int(refused.headers["Retry-After"]) <= 24
    assert refused.json()["detail"]["retry_after"] == int(refused.headers["Retry-After"])


def test_retry_after_tells_when_the_next_worker_is_started(server: Server, folder: Path) -> None:
    source = """
        import os, pathlib

        class PythonPredictor:
            def __init__(self, config):
                if pathlib.Path(config["broken"]).exists():
                    os._exit(3)

            def predict(self, payload):
                pathlib.Path(payload).touch()
                os._exit(3)
    """
    flag = folder / "broken"
    api = API("breaks", predictor={"config": {"broken": str(flag)}})
    server.deploy(write(folder / "breaks", {"predictor.py": source}, api))
    assert server.post("breaks", json=str(flag)).status_code == 502

    def backs_off() -> bool:
        refused = server.post("breaks", json={}, headers={"X-Request-Timeout": "1s"})
        # Requests wait for the first restarts.
        return refused.status_code == 503 and int(refused.headers["Retry-After"]) >= 2

    # 100 ms, 200 ms … 1.6 s: from the fifth start on.
    eventually(backs_off, "the delay between starts is told")
    flag.unlink()
    server.ok("delete", "breaks")


def test_D13_nobody_overtakes(server: Server, gate: Gate, notes: Path) -> None:
    with Clients(server, "gate") as clients:
        clients.send(gate.payload())
        gate.await_arrival()
        queued = []
        for number in range(LIMIT - 1):
            queued.append(clients.send({"do": "nothing", "name": str(number), "notes": str(notes)}))
            clients.await_in_flight(number + 2)
        gate.open()
        assert [answer.status for answer in (connection.answer() for connection in queued) if answer] == [200, 200]
    assert notes.read_text().splitlines() == [f"{number} begins" for number in range(LIMIT - 1)]


# Clients that leave


def test_a_client_that_leaves_frees_its_place_at_once(server: Server, gate: Gate, notes: Path) -> None:
    with Clients(server, "gate") as clients, Clients(server, "gate") as leaving:
        running = clients.send(gate.payload())
        gate.await_arrival()
        leaving.send({"do": "nothing", "name": "left", "notes": str(notes)})
        stays = clients.send({"do": "nothing", "name": "stays", "notes": str(notes)})
        clients.await_in_flight(LIMIT)
        await_gauge(server, "gate", "cortex_queued_requests", LIMIT - 1)
        leaving.leave()
        await_gauge(server, "gate", "cortex_queued_requests", LIMIT - 2)
        also = clients.send({"do": "nothing", "name": "also", "notes": str(notes)})
        clients.await_in_flight(LIMIT)
        gate.open()
        for connection in (running, stays, also):
            answer = connection.answer()
            assert answer is not None and answer.status == 200
    assert notes.read_text().splitlines() == ["stays begins", "also begins"]


@pytest.mark.parametrize("kind", ["until cancelled", "await", "stream", "async stream"])
def test_a_predictor_knows_that_its_client_has_left(
    server: Server, invariants: Invariants, notes: Path, kind: str
) -> None:
    with Clients(server, "gate") as clients:
        connection = clients.send({"do": kind, "notes": str(notes)})
        if "stream" in kind:
            assert connection.socket.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        else:
            await_note(notes, f"{kind} begins")
    await_note(notes, f"{kind} ends")
    await_gauge(server, "gate", "cortex_in_flight_requests", 0)
    assert server.post("gate", json={"do": "nothing"}).status_code == 200
    invariants.goes_on()


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """As many sockets as the machine lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_descriptors")
def test_a_thousand_that_leave_together_leave_nothing_behind(
    server: Server, invariants: Invariants, notes: Path
) -> None:
    api = "gate-many"
    invariants.goes_on()
    before = Footprint.of(server.pid)
    cancelled = server.metrics("cortex_cancelled_requests_total", api=api)
    waiting = {"do": "until cancelled", "notes": str(notes)}
    with Clients(server, api) as running, Clients(server, api) as clients:
        streaming = [running.send({"do": "stream", "notes": str(notes)}) for _ in range(2)]
        for connection in streaming:
            assert connection.socket.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        for _ in range(2):
            running.send(waiting)
        clients.await_in_flight(4)
        for _ in range(696):
            clients.send(waiting)
        clients.await_in_flight(700)
        await_gauge(server, api, "cortex_queued_requests", 696)
        for number in range(300):
            head = f"POST /{api} HTTP/1.1\r\nHost: a\r\nContent-Length: {100 if number % 2 else 9_000_000}\r\n\r\n"
            clients.connections.append(RawConnection(server.port))
            clients.connections[-1].send(head.encode() + b"x")
        # Of tests before, some sockets may linger.
        eventually(lambda: Footprint.of(server.pid).descriptors >= before.descriptors + 900, "all have come")
        clients.leave()
        await_gauge(server, api, "cortex_queued_requests", 0)
        # Where these left with the others, one that waits could take their thread before it is seen to have left.
        running.leave()
    await_gauge(server, api, "cortex_in_flight_requests", 0)
    eventually(lambda: Footprint.of(server.pid).descriptors <= before.descriptors + 2, "all sockets are closed")
    await_note(notes, "until cancelled ends")
    await_note(notes, "stream ends")
    assert notes.read_text().count("begins") == 4, "what waited is not run"
    eventually(
        lambda: server.metrics("cortex_cancelled_requests_total", api=api) == cancelled + 1000, "all are counted"
    )
    invariants.goes_on()


# Clients that close their own side only


def test_a_client_that_has_nothing_more_to_send_is_answered(server: Server, gate: Gate) -> None:
    with RawConnection(server.port) as connection:
        connection.send(message("gate", gate.payload()))
        gate.await_arrival()
        connection.end()
        # What shows whether anybody listens; clients read past it.
        assert connection.socket.recv(len(CONTINUE), socket.MSG_WAITALL) == CONTINUE
        gate.open()
        answer = connection.answer()
        assert answer is not None and answer.status == 200, answer
        assert json.loads(answer.body)["cancelled"] is False
        assert connection.is_closed()


def test_requests_that_were_sent_ahead_are_answered_before_the_connection_ends(server: Server) -> None:
    with RawConnection(server.port) as connection:
        connection.send(message("gate-many", {"do": "nothing"}) * 20)
        connection.end()
        got = b"".join(connection.pieces())
    assert got.count(b"HTTP/1.1 200 OK") == 20, got[-500:]


def test_a_large_answer_reaches_a_client_that_has_nothing_more_to_send(server: Server, folder: Path) -> None:
    source = "class PythonPredictor:\n    def predict(self, payload):\n        return 'x' * payload\n"
    server.deploy(write(folder / "large", {"predictor.py": source}, API("gate-large")))
    size = 8 << 20
    with RawConnection(server.port, within=60) as connection:
        connection.send(message("gate-large", size))
        connection.end()
        answer = connection.answer()
        assert answer is not None and answer.status == 200
        assert len(answer.body) == size
        assert connection.is_closed()


def test_an_idle_connection_whose_client_is_done_is_closed(server: Server) -> None:
    with RawConnection(server.port) as connection:
        connection.send(message("gate-many", {"do": "nothing"}))
        answer = connection.answer()
        assert answer is not None and answer.status == 200
        connection.end()
        assert connection.is_closed()
