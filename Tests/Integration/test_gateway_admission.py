"""Who is taken in, for how long, and what becomes of those who leave: rows D09 and D11 to D13 of the fault list."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.invariants import Invariants
from blackbox.processes import Footprint
from blackbox.project import API, write
from blackbox.server import Server

GATE = (Path(__file__).parent / "predictors" / "gate.py").read_text()
LIMIT = 3
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture(scope="module", autouse=True)
def project(server: Server, short_folder: Path) -> Path:
    """`gate` has room for a few; `gate-many` for all that come, and runs four at a time."""
    many = API("gate-many", predictor={"threads_per_process": 4}, sections={"networking": {"timeout": "1m"}})
    few = API("gate", sections={"autoscaling": {"max_replica_concurrency": LIMIT}})
    slow = API("gate-slow", sections={"autoscaling": {"max_replica_concurrency": 12}})
    folder = write(short_folder / "gate", {"predictor.py": GATE}, few, many, slow)
    server.deploy(folder)
    return folder


@pytest.fixture
def notes(folder: Path) -> Path:
    """What the predictor notes."""
    path = folder / "notes"
    path.touch()
    return path


@pytest.fixture
def invariants(server: Server) -> Invariants:
    """Checks that an API with room answers."""
    return Invariants(server, lambda: server.post("gate-many", json={"do": "nothing"}))


class Gate:
    """A prediction that runs until it is let go: a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end: int | None = None
        os.mkfifo(path)

    def payload(self, **more: Any) -> dict[str, Any]:
        """What makes a prediction wait here."""
        return {"do": "wait", "gate": str(self.path), **more}

    def await_arrival(self) -> None:
        """Returns once a prediction waits."""

        def opens() -> bool:
            try:
                self.end = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                return False
            return True

        eventually(opens, "a prediction waits at the gate")

    def __enter__(self) -> Gate:
        return self

    def open(self) -> None:
        """Lets it go."""
        if self.end is not None:
            os.close(self.end)
            self.end = None

    def __exit__(self, *_: object) -> None:
        self.open()


@pytest.fixture
def gate(folder: Path) -> Iterator[Gate]:
    """A closed gate, opened in the end."""
    with Gate(folder / "pipe") as gate:
        yield gate


def message(api: str, payload: Any, *headers: str) -> bytes:
    """A request as bytes."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    lines = [f"POST /{api} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


class Clients:
    """Connections with a request each, closed together: a context manager."""

    def __init__(self, server: Server, api: str) -> None:
        self.server = server
        self.api = api
        self.connections: list[RawConnection] = []

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def send(self, payload: Any, *headers: str, api: str | None = None) -> RawConnection:
        """Sends on a connection of its own."""
        connection = RawConnection(self.server.port, within=60)
        self.connections.append(connection)
        connection.send(message(api or self.api, payload, *headers))
        return connection

    def leave(self) -> None:
        """Closes them all."""
        for connection in self.connections:
            connection.socket.close()
        self.connections = []

    def await_in_flight(self, count: int) -> None:
        """Returns once as many are queued or running."""
        await_gauge(self.server, self.api, "cortex_in_flight_requests", count)


def await_gauge(server: Server, api: str, name: str, value: int) -> None:
    """Returns once a gauge of the API has that value."""

    def agrees() -> bool:
        found = server.metrics(name, api=api)
        assert found == value, f"{name} of {api} is {found}"
        return True

    eventually(agrees, f"{name} of {api} is {value}")


def await_note(notes: Path, line: str) -> None:
    """Returns once the predictor has noted that."""
    eventually(lambda: line in notes.read_text().splitlines(), f"{line!r} in {notes.read_text()!r}")


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
        took = []
        with RawConnection(server.port) as connection:
            for _ in range(20):
                start = time.perf_counter()
                connection.send(message("gate", {"do": "nothing"}))
                answer = connection.answer()
                took.append(time.perf_counter() - start)
                assert answer is not None and answer.status == 503
        assert min(took) < 0.005, took
        assert server.metrics("cortex_shed_requests_total", api="gate", reason="queue_full") == before + 21
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
    eventually(backs_off, "the delay between starts is told", within=60)
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


# D11: deadlines


def test_D11_a_deadline_that_passes_in_the_queue_is_told_and_nothing_is_run(
    server: Server, invariants: Invariants, gate: Gate, notes: Path
) -> None:
    shed = server.metrics("cortex_shed_requests_total", api="gate", reason="deadline")
    late = {"do": "nothing", "name": "late", "notes": str(notes)}
    with Clients(server, "gate") as clients:
        running = clients.send(gate.payload())
        gate.await_arrival()
        headers = {"X-Request-Timeout": "200ms"}
        outcome = invariants.hold(504, lambda: server.post("gate", json=late, headers=headers), api="gate")
        assert json.loads(outcome.body)["code"] == "DEADLINE_EXCEEDED"
        assert "before gate came to this request" in json.loads(outcome.body)["error"]
        clients.await_in_flight(1)
        gate.open()
        answer = running.answer()
        assert answer is not None and json.loads(answer.body)["cancelled"] is False
    assert server.post("gate", json={"do": "nothing", "name": "next", "notes": str(notes)}).status_code == 200
    assert notes.read_text().splitlines() == ["next begins"]
    assert server.metrics("cortex_shed_requests_total", api="gate", reason="deadline") == shed + 1


def hand_over_early(server: Server, clients: Clients, first: Any, second: Any, *headers: str) -> bool:
    """Sends both at once to an API that has been quick; whether the second went to the worker behind the first."""
    with requests.Session() as session:
        for _ in range(600):
            assert session.post(server.url("gate"), json={"do": "nothing"}).status_code == 200
    pair = [RawConnection(server.port, within=60) for _ in range(2)]
    clients.connections += pair
    # Nothing is handed over behind what has run for some time.
    pair[0].send(message("gate", first))
    pair[1].send(message("gate", second, *headers))
    clients.await_in_flight(2)
    return server.metrics("cortex_queued_requests", api="gate") == 0


def test_D11_what_was_handed_over_early_is_not_run_past_its_deadline(server: Server, folder: Path, notes: Path) -> None:
    late = {"do": "nothing", "name": "late", "notes": str(notes)}
    for attempt in range(20):
        with Clients(server, "gate") as clients, Gate(folder / f"gate-{attempt}") as gate:
            is_early = hand_over_early(server, clients, gate.payload(), late, "X-Request-Timeout: 2s")
            gate.await_arrival()
            answer = clients.connections[1].answer()
            assert answer is not None and answer.status == 504, answer
            assert "before gate came to this request" in json.loads(answer.body)["error"]
            gate.open()
            first = clients.connections[0].answer()
            assert first is not None and first.status == 200
        assert server.post("gate", json={"do": "nothing"}).status_code == 200
        assert notes.read_text() == ""
        if is_early:
            return
    pytest.fail("nothing was handed over early")


def test_what_was_handed_over_early_is_not_run_once_its_client_has_left(server: Server, notes: Path) -> None:
    late = {"do": "nothing", "name": "late", "notes": str(notes)}
    for _ in range(20):
        with Clients(server, "gate") as clients:
            first = {"do": "until cancelled", "notes": str(notes)}
            is_early = hand_over_early(server, clients, first, late)
            clients.connections.pop().socket.close()
            clients.await_in_flight(1)
        # The worker hears of both in this order, and ends the first by the second.
        await_note(notes, "until cancelled ends")
        assert server.post("gate", json={"do": "nothing"}).status_code == 200
        assert notes.read_text().splitlines() == ["until cancelled begins", "until cancelled ends"]
        if is_early:
            return
        notes.write_text("")
    pytest.fail("nothing was handed over early")


@pytest.mark.parametrize("kind", ["until cancelled", "await"])
def test_D11_a_deadline_that_passes_while_it_runs_is_told_to_both_sides(
    server: Server, invariants: Invariants, notes: Path, kind: str
) -> None:
    shed = server.metrics("cortex_shed_requests_total", api="gate", reason="deadline")
    payload = {"do": kind, "notes": str(notes)}
    headers = {"X-Request-Timeout": "0.2"}
    outcome = invariants.hold(504, lambda: server.post("gate", json=payload, headers=headers), api="gate")
    assert json.loads(outcome.body)["code"] == "DEADLINE_EXCEEDED"
    assert "gate did not answer in time" in json.loads(outcome.body)["error"]
    await_note(notes, f"{kind} ends")
    assert server.metrics("cortex_shed_requests_total", api="gate", reason="deadline") == shed


def timing(headers: Mapping[str, str]) -> dict[str, float]:
    """What `Server-Timing` says, in milliseconds."""
    value = next(value for name, value in headers.items() if name.lower() == "server-timing")
    return {name: float(dur) for name, dur in re.findall(r"(\w+);dur=([\d.]+)", value)}


def test_the_time_that_an_unfinished_request_ran_is_not_taken_for_waiting(
    server: Server, invariants: Invariants, gate: Gate, notes: Path
) -> None:
    late = {"do": "until cancelled", "notes": str(notes)}
    headers = {"X-Request-Timeout": "400ms"}
    expired = invariants.hold(504, lambda: server.post("gate", json=late, headers=headers), api="gate")
    spent = timing(expired.headers)
    assert spent["predict"] > 200 and spent["queue"] < 200, spent
    # The other way round for one that never left the queue.
    with Clients(server, "gate") as clients:
        running = clients.send(gate.payload())
        gate.await_arrival()
        expired = invariants.hold(504, lambda: server.post("gate", json=late, headers=headers), api="gate")
        assert "predict" not in timing(expired.headers)
        hint = json.loads(expired.body)["hint"]
        assert "X-Request-Timeout allowed 400ms" in hint and "networking.timeout of gate allows more" in hint
        clients.await_in_flight(1)
        gate.open()
        answer = running.answer()
        assert answer is not None and answer.status == 200
    # A worker that dies.
    pid = server.post("gate", json={"do": "nothing"}).json()["pid"]
    with Clients(server, "gate") as clients:
        running = clients.send({"do": "until cancelled", "notes": str(notes)})
        eventually(lambda: notes.read_text().splitlines()[-1:] == ["until cancelled begins"], "it runs")
        begun = time.monotonic()
        eventually(lambda: time.monotonic() > begun + 0.3, "it has run for some time")
        os.kill(pid, signal.SIGKILL)
        answer = running.answer()
    assert answer is not None and answer.status == 502, answer
    spent = timing(dict(answer.headers))
    assert spent["predict"] > 200 and spent["queue"] < 200, spent
    eventually(lambda: server.post("gate", json={"do": "nothing"}).status_code == 200, "there is a successor")


def test_D11_the_keys_timeout_counts_and_a_change_of_it_needs_no_new_worker(
    server: Server, folder: Path, gate: Gate
) -> None:
    def deploy(timeout: str) -> None:
        networking = {"networking": {"timeout": timeout}}
        server.deploy(write(folder / "timed", {"predictor.py": GATE}, API("timed", sections=networking)))

    deploy("50m")
    before = server.post("timed", json={"do": "time"}).json()
    assert 2900 < before["left"] <= 3000
    deploy("400ms")
    refused = server.post("timed", json=gate.payload())
    assert (refused.status_code, refused.json()["code"]) == (504, "DEADLINE_EXCEEDED")
    assert refused.json()["hint"] == "networking.timeout of timed allows 400ms"
    gate.await_arrival()
    gate.open()
    deploy("40s")
    after = server.post("timed", json={"do": "time"}).json()
    assert 30 < after["left"] <= 40
    assert after["pid"] == before["pid"]


@pytest.mark.parametrize("sent", [b"", b"{", b" " * (2 << 20)], ids=["nothing", "some", "2 MiB"])
def test_D11_a_body_that_is_not_there_by_its_deadline_takes_no_slot(
    server: Server, invariants: Invariants, sent: bytes
) -> None:
    head = b"POST /gate HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\nX-Request-Timeout: 300ms\r\n\r\n"
    with RawConnection(server.port) as connection:
        connection.send(head + sent)
        answer = connection.answer()
    assert answer is not None and answer.status == 504, answer
    assert json.loads(answer.body)["code"] == "DEADLINE_EXCEEDED"
    await_gauge(server, "gate", "cortex_in_flight_requests", 0)
    invariants.goes_on()


def test_D11_a_stream_is_broken_off_at_its_deadline(server: Server, notes: Path) -> None:
    with RawConnection(server.port) as connection:
        connection.send(message("gate", {"do": "stream", "notes": str(notes)}, "X-Request-Timeout: 300ms"))
        got = b"".join(connection.pieces())
    assert got.startswith(b"HTTP/1.1 200") and b"piece" in got
    assert not got.endswith(b"0\r\n\r\n"), "that would say that this was all"
    await_note(notes, "stream ends")
    await_gauge(server, "gate", "cortex_in_flight_requests", 0)
    assert server.post("gate", json={"do": "nothing"}).status_code == 200


# D12: what clients may ask for


@pytest.mark.parametrize(
    "value",
    ["", "0", "0s", "-1", "-500ms", "NaN", "inf", "1e3", "abc", "1 s", "1,5", "0x10", "5 min", "1d", "9" * 5000],
    ids=lambda value: repr(value[:10]),
)
def test_D12_a_timeout_that_is_none_is_malformed(server: Server, invariants: Invariants, value: str) -> None:
    headers = {"X-Request-Timeout": value}
    outcome = invariants.hold(400, lambda: server.post("gate", json={"do": "time"}, headers=headers), api="gate")
    assert "X-Request-Timeout" in json.loads(outcome.body)["error"]
    assert "500ms" in json.loads(outcome.body)["error"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("20", 20), ("20.5", 20.5), ("20s", 20), ("20500ms", 20.5), ("0.5m", 30), ("61", 60), ("2h", 60), ("9" * 30, 60)],
)
def test_D12_a_timeout_counts_up_to_the_apis_own(server: Server, value: str, seconds: float) -> None:
    answer = server.post("gate-many", json={"do": "time"}, headers={"X-Request-Timeout": value})
    assert answer.status_code == 200, answer.text
    assert seconds - 10 < answer.json()["left"] <= seconds


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
