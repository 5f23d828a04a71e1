"""What the head of a request decides: early refusals, limits of heads, `Expect`. Rows A15, A18 and A21."""

from __future__ import annotations

import json
import re
import socket

import pytest
import requests

from blackbox.http import Answer, RawConnection, exchange
from blackbox.invariants import Invariants, Outcome
from blackbox.limits import OWN, chunks, request
from blackbox.server import Server


@pytest.fixture
def invariants(limits: Server) -> Invariants:
    """Checks that the server still answers."""
    return Invariants(limits, lambda: limits.post("length", data=b"abc"))


# What the head alone tells


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/narrow", [f"Content-Length: {OWN + 1}"], 413),
        ("/nowhere", ["Content-Length: 100"], 404),
        ("/nowhere", ["Transfer-Encoding: chunked"], 404),
        ("/length", ["Content-Length: 5", "Content-Encoding: br"], 415),
        ("/length", ["Content-Length: 5", "X-Request-Timeout: 0"], 400),
        ("/length", [f"Content-Length: {2**63}"], 413),
        ("/length", [f"Content-Length: {2**64 - 1}"], 413),
        ("/length", ["Transfer-Encoding: gzip, chunked"], 501),
    ],
)
def test_what_the_head_tells_is_answered_before_the_body_comes(
    limits: Server, invariants: Invariants, target: str, headers: list[str], status: int
) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(request(target, *headers))
        # The body timeout would be 408.
        answer = connection.answer()
        assert answer is not None and answer.status == status, answer
    invariants.goes_on()


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_small_body_that_is_refused_is_read_past(limits: Server, invariants: Invariants, framing: str) -> None:
    with RawConnection(limits.port) as connection:
        if framing == "length":
            head, body = request("/nowhere", "Content-Length: 5000"), bytes(5000)
        else:
            head, body = request("/nowhere", "Transfer-Encoding: chunked"), chunks(bytes(5000))
        for _ in range(3):
            connection.send(head)
            answer = connection.answer()
            assert answer is not None and answer.status == 404, answer
            connection.send(body[:100])
            connection.send(body[100:] + request("/length", "Content-Length: 3", body=b"abc"))
            answer = connection.answer()
            assert answer is not None and answer.status == 200, answer
    invariants.goes_on()


def test_a_refused_body_that_does_not_come_ends_the_connection(limits: Server, invariants: Invariants) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(request("/nowhere", "Content-Length: 5"))
        answer = connection.answer()
        assert answer is not None and answer.status == 404
        # No second answer, but the end once the body timeout is over.
        assert connection.is_closed()
    with RawConnection(limits.port) as connection:
        connection.send(request("/nowhere", "Transfer-Encoding: chunked") + b"ZZ\r\n")
        answer = connection.answer()
        assert answer is not None and answer.status == 404
        assert connection.is_closed()
    invariants.goes_on()


def test_no_time_is_told_so_whatever_the_method(limits: Server) -> None:
    for method in ("GET", "POST"):
        answer = requests.request(method, limits.url("/length"), headers={"X-Request-Timeout": "-1"}, timeout=60)
        assert answer.status_code == 400, (method, answer.text)
    assert requests.get(limits.url("/length"), headers={"X-Request-Timeout": "2"}, timeout=60).status_code == 200


def test_blanks_around_values_are_no_part_of_them(limits: Server, invariants: Invariants) -> None:
    def send(*headers: str, target: str = "/length?answer=headers", host: str = "localhost") -> Answer:
        data = f"POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1 \r\n" + "".join(
            f"{h}\r\n" for h in headers
        )
        answer = exchange(limits.port, data.encode() + b"\r\na")
        assert answer is not None
        return answer

    for header in ("X-Request-Timeout: 5 ", "Expect: 100-continue \t", "X-A:  b c\t ", "Content-Encoding: identity "):
        # `Expect` may be answered by an interim answer first.
        assert send(header).status == 200, header
    assert json.loads(send("X-A:  b c\t ").body)["x-a"] == "b c"
    length = b"POST /length HTTP/1.1\r\nHost: a\r\nX-Tab: a\tb\t\r\nContent-Length:\t3\t \t\r\n\r\na\t\r"
    for size in (len(length), 1):
        with RawConnection(limits.port) as connection:
            # Each byte by itself, so that no line comes whole.
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start in range(0, len(length), size):
                connection.send(length[start : start + size])
            answer = connection.answer()
            assert answer is not None and answer.status == 200, answer
            assert json.loads(answer.body) == {"length": 3, "sum": sum(b"a\t\r")}
    assert send(target="/predict", host="api-length ").status == 200
    invariants.goes_on()


@pytest.mark.parametrize(
    "body",
    [
        b"5;" + b"a" * 300_000 + b"\r\nhello\r\n0\r\n\r\n",
        (b"1;" + b"a" * 1000 + b"\r\na\r\n") * 300 + b"0\r\n\r\n",
        b"0" * 300_000 + b"5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\n" + (b"X: " + b"a" * 7000 + b"\r\n") * 30 + b"\r\n",
    ],
    ids=["extension", "extensions", "size", "trailers"],
)
def test_what_stands_between_chunks_is_bounded(limits: Server, invariants: Invariants, body: bytes) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(request("/length", "Transfer-Encoding: chunked"))
        for start in range(0, len(body), 8000):
            connection.send(body[start : start + 8000])
        answer = connection.answer()
        assert answer is not None and answer.status == 400, answer
        assert b"no chunk" in answer.body
        assert connection.is_closed()
    invariants.goes_on()
    usual = b"5;name=value\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n"
    invariants.hold(
        200, lambda: exchange(limits.port, request("/length", "Transfer-Encoding: chunked", body=usual)), "length"
    )
    tiny = chunks(bytes(30_000), 1)
    invariants.hold(
        200, lambda: exchange(limits.port, request("/length", "Transfer-Encoding: chunked", body=tiny)), "length"
    )


# Heads


def test_A15_a_long_path_is_told_from_long_headers(limits: Server, invariants: Invariants) -> None:
    def status(*parts: str, target: str = "/length") -> tuple[int, str]:
        answer = exchange(limits.port, request(target, *parts))
        assert answer is not None
        error = json.loads(answer.body).get("error", "")
        assert answer.status == 200 or len(re.findall("CORTEX_MAX_", error)) == 1, "only what was passed is named"
        return answer.status, error

    for value in ("a", "/a"):
        code, error = status("X: " + value + "a" * 1_000_000)
        assert code == 431 and "CORTEX_MAX_HEADER_SIZE" in error
    for length in (100 * 1024 + 1, 200_000, 1_000_000):
        code, error = status(target="/" + "a" * (length - 1))
        assert code == 414 and "CORTEX_MAX_URL_LENGTH" in error, (length, code, error)
    code, error = status("X: " + "a" * 8200)
    assert code == 431 and "CORTEX_MAX_HEADER_SIZE" in error
    assert status("X: " + "a" * 8000)[0] == 200
    code, error = status(*[f"X-{number}: 1" for number in range(10_000)])
    assert code == 431 and "CORTEX_MAX_HEADERS" in error
    code, error = status(*[f"X-{number}: {'a' * 8000}" for number in range(40)])
    assert code == 431 and "CORTEX_MAX_HEAD_SIZE" in error
    # What a request before it left on the connection changes nothing.
    with RawConnection(limits.port) as connection:
        connection.send(request("/length", "Content-Length: 3", body=b"abc") + request("/" + "a" * 300_000))
        first, second = connection.answer(), connection.answer()
        assert first is not None and first.status == 200
        assert second is None or second.status == 414, second
    invariants.goes_on()


def test_A15_ten_thousand_query_parameters_are_a_path_like_any(limits: Server, invariants: Invariants) -> None:
    query = "&".join(f"p{number}=1" for number in range(10_000))
    assert len(query) < 100 * 1024
    invariants.hold(
        200, lambda: exchange(limits.port, request(f"/length?{query}", "Content-Length: 1", body=b"a")), "length"
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), "TLS"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), "HTTP/"),
        (b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "Content-Length"),
        (b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nx\r\n", "chunk"),
        (b"\x00\x01\x02 / HTTP/1.1\r\n\r\n", "method"),
        (b"POST /length HTTP/1.1\r\nHo st: a\r\n\r\n", "header"),
    ],
    ids=["tls", "h2c", "length", "chunk", "method", "header"],
)
def test_A21_what_is_no_http_is_told_so_at_once(
    limits: Server, invariants: Invariants, data: bytes, words: str
) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(data)
        answer = connection.answer()
        assert answer is not None and answer.status == 400, answer
        invariants.is_an_error(Outcome.of(answer))
        error = json.loads(answer.body)["error"]
        assert words in error, error
        # No name of a library's own error.
        assert not re.search(r"[a-z][A-Z]\w*$", error), error
    invariants.goes_on()


def test_what_was_understood_is_answered_before_the_rest_is_refused(limits: Server, invariants: Invariants) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(request("/length", "Content-Length: 3", body=b"abc") + b"\x00\x00garbage\r\n\r\n")
        answer = connection.answer()
        assert answer is not None and answer.status == 200, answer
    invariants.goes_on()


# Expect


def test_A18_a_body_that_is_asked_for_is_sent_then(limits: Server, invariants: Invariants) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(request("/length", "Expect: 100-Continue", "Content-Length: 3"))
        interim = connection.socket.recv(1024)
        assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(b"abc")
        answer = connection.answer()
        assert answer is not None and answer.status == 200, answer
    # No body, or HTTP/1.0: nothing to wait for.
    for data in (
        request("/length", "Expect: 100-continue", "Content-Length: 0"),
        request("/length", "Expect: 100-continue", "Content-Length: 3", body=b"abc", version="1.0"),
        request("/length", "Expect: something", "Content-Length: 3", body=b"abc", version="1.0"),
    ):
        with RawConnection(limits.port) as connection:
            connection.send(data)
            assert connection.socket.recv(1024).startswith(b"HTTP/1.1 200 ")
    invariants.goes_on()


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/narrow", ["Content-Length: 3001"], 413),
        ("/length", ["Content-Length: 3", "Content-Encoding: br"], 415),
        ("/nowhere", ["Content-Length: 3"], 404),
    ],
)
def test_A18_a_body_that_would_be_refused_is_not_asked_for(
    limits: Server, invariants: Invariants, target: str, headers: list[str], status: int
) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(request(target, "Expect: 100-continue", *headers))
        answer = connection.answer()
        assert answer is not None and answer.status == status, answer
    invariants.goes_on()


def test_A18_another_expectation_fails(limits: Server, invariants: Invariants) -> None:
    data = request("/length", "Expect: a-miracle", "Content-Length: 3", body=b"abc")
    invariants.hold(417, lambda: exchange(limits.port, data), "length")
