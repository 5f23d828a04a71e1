"""Clients that send or read slowly, or do not read at all: what waits for them is bounded. Rows D15 and D16."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.invariants import Invariants
from blackbox.limits import connections, request, spooled
from blackbox.processes import MEASURABLE
from blackbox.server import Server


@pytest.fixture
def invariants(limits: Server) -> Invariants:
    """Checks that the server still answers."""
    return Invariants(limits, lambda: limits.post("length", data=b"abc"))


def test_D16_a_body_that_trickles_in_is_given_up(limits: Server, invariants: Invariants) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(request("/length", "Content-Length: 1000000", body=bytes(200_000)))
        connection.socket.settimeout(0.2)
        answer = b""
        begun = time.monotonic()
        # Never silent for as long as the body timeout: it is the rate that is too low, in spite of the fast start.
        while not answer and time.monotonic() - begun < 60:
            connection.send(b"a")
            try:
                answer = connection.socket.recv(65536)
            except TimeoutError:
                continue
        assert b" 408 " in answer.splitlines()[0] and b"CORTEX_MIN_UPLOAD_RATE" in answer, answer
    eventually(lambda: spooled(limits) == [], "the spool is empty")
    invariants.goes_on()


def test_D16_slow_uploaders_take_no_slot(limits: Server, invariants: Invariants) -> None:
    with ExitStack() as stack:
        for _ in range(300):
            connection = stack.enter_context(RawConnection(limits.port))
            connection.send(request("/length", "Content-Length: 1000", body=b"a"))
        assert limits.metrics("cortex_in_flight_requests", api="length") == 0
        assert limits.metrics("cortex_queued_requests", api="length") == 0
        invariants.goes_on()


def slow_reader(port: int, target: str) -> RawConnection:
    """A client that asks and then does not read."""
    connection = RawConnection(port)
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.send(request(target, "Content-Length: 0"))
    return connection


def test_D15_a_stream_that_nobody_reads_is_cut(limits: Server, invariants: Invariants) -> None:
    before = limits.metrics("cortex_cancelled_requests_total", api="stream", stage="reading")
    with slow_reader(limits.port, "/stream?pieces=400"):
        eventually(
            lambda: limits.metrics("cortex_cancelled_requests_total", api="stream", stage="reading") == before + 1,
            "the stream is cut",
        )
        # Its worker is free for the next one.
        answer = limits.post("stream?pieces=3")
        assert len(answer.content) == 3 * 65536
    assert "READER_TOO_SLOW" in (limits.home / "logs" / "access.log").read_text()
    invariants.goes_on()


def test_D15_a_reader_that_is_slow_but_steady_gets_all(limits: Server) -> None:
    with RawConnection(limits.port) as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.send(request("/stream?pieces=200", "Content-Length: 0", "Connection: close"))
        size = 0
        while piece := connection.socket.recv(65536):
            size += len(piece)
            time.sleep(0.01)  # the reader under test
        assert size > 200 * 65536


def test_D15_a_whole_answer_frees_its_worker_whoever_reads_it(limits: Server, invariants: Invariants) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(slow_reader(limits.port, "/stream?whole&pieces=160"))
        eventually(
            lambda: (
                limits.metrics("cortex_requests_total", api="stream", code="200") >= 20
                and limits.metrics("cortex_in_flight_requests", api="stream") == 0
            ),
            "all have been answered",
        )
        answer = limits.post("stream?whole&pieces=160")
        assert len(answer.content) == 160 * 65536
        # And nobody may keep an answer for ever.
        eventually(lambda: connections(limits) <= 1, "the slow readers are gone")
    invariants.goes_on()


@pytest.mark.parametrize(("target", "size", "count"), [("whole&pieces=1", 1, 150), ("pieces=14", 14, 40)])
def test_requests_sent_ahead_wait_until_the_answers_before_them_have_left(
    patient: Server, target: str, size: int, count: int
) -> None:
    before = patient.metrics("cortex_requests_total", api="stream", code="200")
    with RawConnection(patient.port) as connection:
        connection.send(b"".join(request(f"/stream?{target}", "Content-Length: 0") for _ in range(count)))
        # Its worker is free for others, one of whom would be served after each of these.
        for _ in range(count):
            assert patient.post("stream?whole&pieces=0").status_code == 200
        answered = patient.metrics("cortex_requests_total", api="stream", code="200") - before - count
        assert answered < 0.6 * count
        sizes = []
        for _ in range(count):
            answer = connection.answer()
            assert answer is not None
            sizes.append(len(answer.body))
        assert sizes == [size * 65536] * count


def test_D15_a_whole_answer_that_nobody_reads_is_cut(limits: Server, invariants: Invariants) -> None:
    before = limits.metrics("cortex_cancelled_requests_total", api="stream", stage="reading")
    log = limits.home / "logs" / "access.log"
    target = "/stream?whole&pieces=160"
    with RawConnection(limits.port) as connection:
        connection.send(request(target, "Content-Length: 0", "X-Request-ID: unread-whole"))
        eventually(
            lambda: limits.metrics("cortex_cancelled_requests_total", api="stream", stage="reading") == before + 1,
            "the answer is cut",
        )
    eventually(lambda: "unread-whole" in log.read_text(), "its line is written")
    lines = [json.loads(line) for line in log.read_text().splitlines() if "unread-whole" in line]
    assert [line["error_code"] for line in lines] == ["READER_TOO_SLOW"]
    assert 0 < lines[0]["bytes_out"] < 160 * 65536
    assert lines[0]["total_ms"] >= 1000
    invariants.goes_on()


def test_the_line_of_an_answer_is_written_when_it_has_left(patient: Server) -> None:
    log = patient.home / "logs" / "access.log"
    with RawConnection(patient.port) as connection:
        connection.send(request("/stream?whole&pieces=160", "Content-Length: 0", "X-Request-ID: read-late"))
        assert connection.socket.recv(1) == b"H"
        # Lines come in order, so the one of this later request would have come behind it.
        assert patient.post("length", data=b"a", headers={"X-Request-ID": "asked-later"}).status_code == 200
        eventually(lambda: "asked-later" in log.read_text(), "the later line is written")
        assert "read-late" not in log.read_text()
        size = 1
        while size < 160 * 65536:
            size += len(connection.socket.recv(1 << 20))
        eventually(lambda: "read-late" in log.read_text(), "the line is written")
    lines = [json.loads(line) for line in log.read_text().splitlines() if "read-late" in line]
    assert [(line["status"], line["bytes_out"], line.get("error_code")) for line in lines] == [(200, 160 * 65536, None)]


def answer_files(server: Server) -> int:
    """Files without a name that the server has open for its answers."""
    count = 0
    for entry in Path(f"/proc/{server.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            count += str(entry.readlink()).endswith(".body (deleted)")
    return count


def test_answers_that_wait_count_against_the_spool(patient: Server) -> None:
    with ExitStack() as stack:
        readers = [stack.enter_context(RawConnection(patient.port)) for _ in range(2)]
        for reader in readers:
            reader.send(request("/stream?whole&pieces=160", "Content-Length: 0"))
            assert reader.socket.recv(1) == b"H"
        answer = patient.post("stream?whole&pieces=160")
        assert (answer.status_code, answer.json()["code"]) == (503, "SPOOL_FULL")
        assert "CORTEX_SPOOL_BUDGET" in answer.json()["error"] and answer.headers["retry-after"]
        assert patient.post("stream?whole&pieces=1").status_code == 200, "what is small needs no disk"
    eventually(lambda: patient.post("stream?whole&pieces=160").status_code == 200, "the room is given back")


@pytest.mark.skipif(not MEASURABLE, reason="needs /proc")
def test_answers_beyond_the_memory_for_them_wait_on_disk(patient: Server) -> None:
    with ExitStack() as stack:
        readers = [stack.enter_context(RawConnection(patient.port)) for _ in range(8)]
        for reader in readers:
            reader.send(b"".join(request("/stream?whole&pieces=14", "Content-Length: 0") for _ in range(10)))
        eventually(lambda: answer_files(patient) >= 3, "some wait in files")
        for reader in readers:
            for _ in range(10):
                answer = reader.answer()
                assert answer is not None and len(answer.body) == 14 * 65536
    eventually(lambda: answer_files(patient) == 0, "no file is left")
