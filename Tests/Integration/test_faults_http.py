"""Faults of HTTP itself: the A rows of the fault list, and what else fits on one connection."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackbox.attacks import ATTACKS, ECHO, Attack, good, request
from blackbox.conditions import eventually
from blackbox.http import Answer, RawConnection, exchange
from blackbox.invariants import Invariants, Outcome
from blackbox.processes import MEASURABLE, Footprint
from blackbox.project import API, write
from blackbox.server import Server

PREDICTORS = Path(__file__).parent / "predictors"


@pytest.fixture(scope="module")
def echo(server: Server, short_folder: Path) -> str:
    """The name of an API that answers with what it was given."""
    source = (PREDICTORS / "echo.py").read_text()
    server.deploy(write(short_folder / ECHO, {"predictor.py": source}, API(ECHO), API("http-other")))
    return ECHO


@pytest.fixture
def invariants(server: Server, echo: str) -> Invariants:
    """Checks that the echo still answers."""
    return Invariants(server, lambda: server.post(echo, json={"a": 1}))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_what_a_client_may_send(server: Server, echo: str, invariants: Invariants, attack: Attack) -> None:
    api = echo if attack.is_counted else None
    before = 0.0 if attack.status is None else invariants.counted(attack.status, api)
    with RawConnection(server.port) as connection:
        connection.send(attack.data)
        answers = [connection.answer(attack.method) for _ in range(attack.count)]
        for answer in answers:
            if attack.status is None:
                assert answer is None, answer
                continue
            assert answer is not None, f"the server closed without an answer\n{server.tail()}"
            assert answer.status == attack.status, answer
            assert attack.words in answer.body.decode(), answer
            for name, value in attack.headers:
                assert any(value in given for given in answer.values(name)), answer
            if attack.status >= 400:
                invariants.is_an_error(Outcome.of(answer))
            if attack.code is not None:
                assert json.loads(answer.body)["code"] == attack.code, answer
        invariants.are_recorded([Outcome.of(answer) for answer in answers if answer], api, before)
        if attack.closes:
            assert connection.is_closed()
        else:
            connection.send(good())
            again = connection.answer()
            assert again is not None and again.status == 200, again
    invariants.goes_on()


def test_A03_after_another_protocol_nothing_is_kept(server: Server, invariants: Invariants) -> None:
    """What follows a request for another protocol is not HTTP: it is neither read as such nor gathered."""
    before = Footprint.of(server.pid).resident if MEASURABLE else 0
    for first in (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", good("Connection: Upgrade", "Upgrade: h2c")):
        with RawConnection(server.port) as connection:
            connection.send(first + bytes(64 << 20))
            answer = connection.answer()
            assert answer is None or answer.values("connection") == ["close"], answer
    if MEASURABLE:
        assert Footprint.of(server.pid).resident < before + (32 << 20)
    invariants.goes_on()


def test_A09_more_bytes_than_announced_are_never_part_of_the_body(
    server: Server, echo: str, invariants: Invariants
) -> None:
    with RawConnection(server.port) as connection:
        connection.send(request("Content-Length: 4", body=b"abcd" + b"x" * 10_000_000))
        first = connection.answer()
        assert first is None or first.status in (200, 400, 413), first
        if first is not None and first.status == 200:
            assert json.loads(first.body)["length"] == 4
    invariants.goes_on()


LIMIT = 2 * 2**20
"""Bytes: more than is held in memory, so that the spool is measured too."""


@pytest.fixture(scope="module")
def strict(binary: Path, short_folder: Path) -> Iterator[Server]:
    """A server with little patience and little room."""
    with Server(
        binary,
        short_folder / "strict",
        CORTEX_MAX_BODY_SIZE=str(LIMIT),
        CORTEX_BODY_TIMEOUT="500ms",
        CORTEX_HEADER_TIMEOUT="500ms",
    ) as server:
        source = (PREDICTORS / "echo.py").read_text()
        server.deploy(write(short_folder / "strict-echo", {"predictor.py": source}, API("strict-echo")))
        yield server


@pytest.fixture
def strict_invariants(strict: Server) -> Invariants:
    """Checks that the strict server's echo still answers."""
    return Invariants(strict, lambda: strict.post("strict-echo", json={"a": 1}))


def test_A08_a_body_that_never_ends_times_out(strict: Server, strict_invariants: Invariants) -> None:
    with RawConnection(strict.port) as connection:
        connection.send(
            request("Content-Type: application/json", "Content-Length: 100", target="/strict-echo", body=b'{"a":')
        )
        strict_invariants.goes_on()
        answer = connection.answer()
        assert answer is not None and answer.status == 408, answer
        strict_invariants.is_an_error(Outcome.of(answer))
        assert connection.is_closed()
    assert strict.metrics("cortex_in_flight_requests") == 0
    strict_invariants.goes_on()


def test_A08_a_head_that_never_ends_times_out(strict: Server, strict_invariants: Invariants) -> None:
    with RawConnection(strict.port) as connection:
        connection.send(b"POST /strict-echo HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        answer = connection.answer()
        assert answer is None or answer.status == 408, answer
    strict_invariants.goes_on()


@pytest.mark.parametrize("how", ["closed", "reset"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_A08_a_client_that_leaves_amid_its_body_is_no_bad_request(
    strict: Server, strict_invariants: Invariants, how: str, framing: str
) -> None:
    id_ = f"left-{framing}-{how}"
    header, body = ("Content-Length: 100", b"{") if framing == "length" else ("Transfer-Encoding: chunked", b"9\r\n{")
    before = strict.metrics("cortex_cancelled_requests_total", api="strict-echo", stage="receiving")
    with RawConnection(strict.port) as connection:
        headers = ("Content-Type: application/json", "Expect: 100-continue", f"X-Request-ID: {id_}", header)
        connection.send(request(*headers, target="/strict-echo"))
        # A reset that overtakes the head would leave nothing to see.
        assert connection.socket.recv(1000).startswith(b"HTTP/1.1 100 "), strict.tail()
        connection.send(body)
        if how == "reset":
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    eventually(lambda: strict.access_lines(id_), "it is in the access log")
    assert [line["status"] for line in strict.access_lines(id_)] == [499]
    eventually(
        lambda: strict.metrics("cortex_cancelled_requests_total", api="strict-echo", stage="receiving") == before + 1,
        "it is counted as one that left",
    )
    strict_invariants.goes_on()


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_A10_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(
    strict: Server, strict_invariants: Invariants, framing: str
) -> None:
    def send(size: int) -> Answer | None:
        body = bytes(size)
        if framing == "length":
            return exchange(strict.port, request(f"Content-Length: {size}", target="/strict-echo", body=body))
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:1000], body[1000:])) + b"0\r\n\r\n"
        return exchange(strict.port, request("Transfer-Encoding: chunked", target="/strict-echo", body=chunks))

    outcome = strict_invariants.hold(200, lambda: send(LIMIT), api="strict-echo")
    assert json.loads(outcome.body)["length"] == LIMIT
    outcome = strict_invariants.hold(413, lambda: send(LIMIT + 1), api="strict-echo")
    assert b"CORTEX_MAX_BODY_SIZE" in outcome.body
    assert [file for file in strict.home.rglob("*") if file.is_file() and "spool" in file.parts] == []
