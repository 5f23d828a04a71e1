"""For how long requests are kept: rows D11 and D12 of the fault list."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.admission import GATE, Clients, Gate, await_gauge, await_note, deploy_gates, message
from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.invariants import Invariants
from blackbox.project import API, write
from blackbox.server import Server


@pytest.fixture(scope="module", autouse=True)
def gates(server: Server, short_folder: Path) -> None:
    """The APIs that these tests share."""
    deploy_gates(server, short_folder)


@pytest.fixture
def invariants(server: Server) -> Invariants:
    """Checks that an API with room answers."""
    return Invariants(server, lambda: server.post("gate-many", json={"do": "nothing"}))


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
            is_early = hand_over_early(server, clients, gate.payload(), late, "X-Request-Timeout: 4s")
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
    headers = {"X-Request-Timeout": "1.5"}
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
    headers = {"X-Request-Timeout": "1.5"}
    expired = invariants.hold(504, lambda: server.post("gate", json=late, headers=headers), api="gate")
    spent = timing(expired.headers)
    assert spent["predict"] > spent["queue"], spent
    # The other way round for one that never left the queue.
    with Clients(server, "gate") as clients:
        running = clients.send(gate.payload())
        gate.await_arrival()
        expired = invariants.hold(504, lambda: server.post("gate", json=late, headers=headers), api="gate")
        assert "predict" not in timing(expired.headers)
        hint = json.loads(expired.body)["hint"]
        assert "X-Request-Timeout allowed 1.5s" in hint and "networking.timeout of gate allows more" in hint
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
        eventually(lambda: time.monotonic() > begun + 1, "it has run for some time")
        os.kill(pid, signal.SIGKILL)
        answer = running.answer()
    assert answer is not None and answer.status == 502, answer
    spent = timing(dict(answer.headers))
    assert spent["predict"] > spent["queue"], spent
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
    deploy("2s")
    refused = server.post("timed", json=gate.payload())
    assert (refused.status_code, refused.json()["code"]) == (504, "DEADLINE_EXCEEDED")
    assert refused.json()["hint"] == "networking.timeout of timed allows 2s"
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
        connection.send(message("gate", {"do": "stream", "notes": str(notes)}, "X-Request-Timeout: 2s"))
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
