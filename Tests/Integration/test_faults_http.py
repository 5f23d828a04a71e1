"""Faults of HTTP itself: rows A01 to A10 of the fault list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from blackbox.http import Answer, RawConnection, exchange
from blackbox.invariants import Invariants, Outcome
from blackbox.project import API, write
from blackbox.server import Server

PREDICTORS = Path(__file__).parent / "predictors"


@pytest.fixture(scope="module")
def echo(server: Server, short_folder: Path) -> str:
    """The name of an API that answers with what it was given."""
    name = "http-echo"
    server.deploy(
        write(short_folder / name, {"predictor.py": (PREDICTORS / "echo.py").read_text()}, API(name), API("http-other"))
    )
    return name


@pytest.fixture
def invariants(server: Server, echo: str) -> Invariants:
    """Checks that the echo still answers."""
    return Invariants(server, lambda: server.post(echo, json={"a": 1}))


def request(target: str, *headers: str, body: bytes = b"", method: str = "POST") -> bytes:
    """A request as bytes."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@pytest.mark.parametrize("path", ["/notapi/v2", "/v2/notapi", "/v2/models/notapi/foo", "/predict", "/http-echo/more"])
def test_A01_a_route_that_is_none_is_not_found(server: Server, invariants: Invariants, path: str) -> None:
    invariants.hold(404, lambda: server.post(path, json={}), api=None)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_A02_an_unknown_api_is_not_found_and_the_nearest_named(
    server: Server, invariants: Invariants, method: str
) -> None:
    outcome = invariants.hold(404, lambda: requests.request(method, server.url("/http-ecko"), timeout=20), api=None)
    assert "http-echo" in outcome.body.decode()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_A03_another_method_is_not_allowed(server: Server, echo: str, invariants: Invariants, method: str) -> None:
    outcome = invariants.hold(405, lambda: exchange(server.port, request(f"/{echo}", method=method)), api=None)
    assert {"GET", "POST"} <= {word.strip() for word in outcome.headers["allow"].split(",")}


def test_A03_head_answers_as_get_does_without_a_body(server: Server, echo: str, invariants: Invariants) -> None:
    answer = exchange(server.port, request(f"/{echo}", method="HEAD"), method="HEAD")
    assert answer is not None and answer.status in (200, 405) and answer.body == b""
    invariants.goes_on()


def test_A03_options_answers_a_preflight(server: Server, echo: str, invariants: Invariants) -> None:
    headers = ("Origin: http://example.org", "Access-Control-Request-Method: POST")
    answer = exchange(server.port, request(f"/{echo}", *headers, method="OPTIONS"))
    assert answer is not None and answer.status in (200, 204), answer
    assert answer.values("access-control-allow-origin"), answer
    assert "POST" in answer.values("access-control-allow-methods")[0]
    invariants.goes_on()


def test_A03_connect_opens_no_tunnel(server: Server, invariants: Invariants) -> None:
    answer = exchange(server.port, b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\n\r\n")
    assert answer is None or answer.status >= 400, answer
    invariants.goes_on()


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"POST\r\n\r\n",
        b"P\x00ST /http-echo HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST  /http-echo  HTTP/1.1\r\n\r\n",
        b"POST /http-echo HTTP/9.9\r\nHost: a\r\n\r\n",
        b"POST /http-echo HTTQ/1.1\r\nHost: a\r\n\r\n",
        b"POST /http-echo\r\n\r\n",
        b"POST /\xff\xfe HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"POST /http-echo HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /http-echo HTTP/1.1\r\n: no name\r\n\r\n",
        b"POST /http-echo HTTP/1.1\r\nHost : a\r\n\r\n",
        b"post /http-echo HTTP/1.1\r\nHost: a\r\n\r\n",
        b"A" * 100_000 + b" / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /../../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /http-echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nx\r\n0\r\n\r\n",
        b"POST /http-echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nx\r\n",
    ],
    ids=lambda data: repr(data[:40]),
)
def test_A04_bytes_that_are_no_request_are_refused(server: Server, invariants: Invariants, data: bytes) -> None:
    with RawConnection(server.port) as connection:
        connection.send(data)
        connection.end()
        answer = connection.answer()
    assert answer is None or 400 <= answer.status < 500 or answer.status in (501, 505), answer
    invariants.goes_on()


@pytest.mark.parametrize("length", ["-1", "abc", str(2**64), "0x10", "1.5"])
def test_A07_a_length_that_is_no_length_is_malformed(
    server: Server, echo: str, invariants: Invariants, length: str
) -> None:
    data = request(f"/{echo}", f"Content-Length: {length}", body=b"{}")
    answer = exchange(server.port, data)
    assert answer is not None and answer.status == 400, answer
    body = json.loads(answer.body)
    assert body["error"] and body["code"] and body["request_id"]
    invariants.goes_on()


@pytest.mark.parametrize(
    "headers", [("Content-Length: 2", "Content-Length: 3"), ("Content-Length: 2", "Transfer-Encoding: chunked")]
)
def test_A07_two_lengths_are_malformed(
    server: Server, echo: str, invariants: Invariants, headers: tuple[str, str]
) -> None:
    answer = exchange(server.port, request(f"/{echo}", *headers, body=b"{}"))
    assert answer is not None and answer.status == 400, answer
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
        connection.send(request("/strict-echo", "Content-Type: application/json", "Content-Length: 100", body=b'{"a":'))
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


def test_A09_more_bytes_than_announced_are_never_part_of_the_body(
    server: Server, echo: str, invariants: Invariants
) -> None:
    with RawConnection(server.port) as connection:
        connection.send(request(f"/{echo}", "Content-Length: 4", body=b"abcd" + b"x" * 10_000_000))
        first = connection.answer()
        assert first is None or first.status in (200, 400, 413), first
        if first is not None and first.status == 200:
            assert json.loads(first.body)["length"] == 4
    invariants.goes_on()


def test_A10_a_body_over_the_limit_is_refused_by_its_announcement(
    server: Server, echo: str, invariants: Invariants
) -> None:
    with RawConnection(server.port) as connection:
        connection.send(request(f"/{echo}", f"Content-Length: {2**30 + 1}"))
        answer = connection.answer()
    assert answer is not None and answer.status == 413, answer
    body = json.loads(answer.body)
    assert "CORTEX_MAX_BODY_SIZE" in body["error"], body
    invariants.goes_on()


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_A10_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(
    strict: Server, strict_invariants: Invariants, framing: str
) -> None:
    def send(size: int) -> Answer | None:
        body = bytes(size)
        if framing == "length":
            return exchange(strict.port, request("/strict-echo", f"Content-Length: {size}", body=body))
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:1000], body[1000:])) + b"0\r\n\r\n"
        return exchange(strict.port, request("/strict-echo", "Transfer-Encoding: chunked", body=chunks))

    outcome = strict_invariants.hold(200, lambda: send(LIMIT), api="strict-echo")
    assert json.loads(outcome.body)["length"] == LIMIT
    outcome = strict_invariants.hold(413, lambda: send(LIMIT + 1), api="strict-echo")
    assert b"CORTEX_MAX_BODY_SIZE" in outcome.body
    assert [file for file in strict.home.rglob("*") if file.is_file() and "spool" in file.parts] == []
