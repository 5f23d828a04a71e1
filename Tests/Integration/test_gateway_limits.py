"""The gateway's limits: what is refused, with whose name in the message, and what costs nobody anything."""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import socket
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.http import Answer, RawConnection, exchange
from blackbox.invariants import Invariants, Outcome
from blackbox.processes import MEASURABLE, Footprint
from blackbox.project import API, write
from blackbox.server import Cortex, Server

PREDICTORS = Path(__file__).parent / "predictors"

LENGTH = """
    class PythonPredictor:
        def predict(self, payload, headers, query_params):
            if query_params.get("answer") == "headers":
                return dict(headers)
            if isinstance(payload, bytes):
                return {"length": len(payload), "sum": sum(payload[:1000])}
            return payload
"""

STREAM = """
    from starlette.responses import Response, StreamingResponse

    class PythonPredictor:
        def predict(self, query_params):
            count = int(query_params["pieces"])
            if "whole" in query_params:
                return Response(bytes(count * 65536), media_type="application/octet-stream")
            return StreamingResponse(iter(bytes(65536) for _ in range(count)), media_type="application/octet-stream")
"""

OWN = 3000
"""Bytes: `networking.max_body_size` of one API."""


def request(target: str, *headers: str, body: bytes = b"", method: str = "POST", version: str = "1.1") -> bytes:
    """A request as bytes."""
    lines = [f"{method} {target} HTTP/{version}", "Host: localhost", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunks(body: bytes, size: int = 1000) -> bytes:
    """A chunked body."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def project(folder: Path, prefix: str) -> Path:
    """APIs that measure what they get, with the standard limits and with narrow ones, and one that streams."""
    narrow = {"networking": {"max_body_size": OWN}}
    return write(
        folder,
        {"length.py": LENGTH, "stream.py": STREAM},
        API(f"{prefix}length", path="length.py"),
        API(f"{prefix}narrow", path="length.py", sections=narrow),
        API(f"{prefix}stream", path="stream.py"),
    )


@pytest.fixture(scope="module")
def limits(binary: Path, short_folder: Path) -> Iterator[Server]:
    """A server with narrow limits."""
    with Server(
        binary,
        short_folder / "limits",
        CORTEX_MAX_BODY_SIZE="4Mi",
        CORTEX_INLINE_LIMIT="64Ki",
        CORTEX_MAX_URL_LENGTH="100Ki",
        CORTEX_MAX_HEADER_SIZE="8Ki",
        CORTEX_MAX_HEADERS="50",
        CORTEX_MAX_FORM_PARTS="3",
        CORTEX_MAX_JSON_DEPTH="10",
        CORTEX_BODY_TIMEOUT="2s",
        CORTEX_RATE_WINDOW="1s",
        CORTEX_IDLE_TIMEOUT="1s",
    ) as server:
        server.deploy(project(short_folder / "limits-project", ""))
        yield server


@pytest.fixture(scope="module")
def patient(binary: Path, short_folder: Path) -> Iterator[Server]:
    """A server that gives readers the standard time, and has little room for what they have not read."""
    with Server(binary, short_folder / "patient", CORTEX_SPOOL_BUDGET="24Mi", CORTEX_ANSWER_MEMORY="2Mi") as server:
        server.deploy(project(short_folder / "patient-project", ""))
        yield server


@pytest.fixture
def invariants(limits: Server) -> Invariants:
    """Checks that the server still answers."""
    return Invariants(limits, lambda: limits.post("length", data=b"abc"))


def spooled(server: Server) -> list[Path]:
    """Files of bodies."""
    return [path for path in server.home.rglob("*.body") if path.is_file()]


# Bodies


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_an_api_has_a_body_limit_of_its_own(limits: Server, invariants: Invariants, framing: str) -> None:
    def send(size: int) -> Answer | None:
        if framing == "length":
            return exchange(limits.port, request("/narrow", f"Content-Length: {size}", body=bytes(size)))
        return exchange(limits.port, request("/narrow", "Transfer-Encoding: chunked", body=chunks(bytes(size))))

    assert json.loads(invariants.hold(200, lambda: send(OWN), api="narrow").body)["length"] == OWN
    outcome = invariants.hold(413, lambda: send(OWN + 1), api="narrow")
    assert "networking.max_body_size of narrow" in json.loads(outcome.body)["error"]
    assert limits.post("length", data=bytes(OWN + 1)).status_code == 200


def test_a_new_body_limit_is_in_force_at_once_and_restarts_no_worker(limits: Server, folder: Path) -> None:
    server = limits
    source: dict[str, str | bytes] = {
        "predictor.py": """
            import os
            class PythonPredictor:
                def predict(self, payload):
                    return os.getpid()
        """
    }
    place = folder / "live-project"
    server.deploy(write(place, source, API("live", sections={"networking": {"max_body_size": 10}})))
    assert server.post("live", data=bytes(11)).status_code == 413
    before = server.post("live", data=bytes(10)).text
    server.deploy(write(place, {}, API("live", sections={"networking": {"max_body_size": 11}})))
    assert server.post("live", data=bytes(11)).text == before


def test_a_refused_chunked_body_is_not_kept(limits: Server, invariants: Invariants) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(request("/nowhere", "Transfer-Encoding: chunked"))
        connection.send(b"40000\r\n" + bytes(0x40000))
        answer = connection.answer()
        assert answer is not None and answer.status == 404, answer
        assert connection.is_closed()
    assert spooled(limits) == []
    invariants.goes_on()


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
        answer = requests.request(method, limits.url("/length"), headers={"X-Request-Timeout": "-1"}, timeout=20)
        assert answer.status_code == 400, (method, answer.text)
    assert requests.get(limits.url("/length"), headers={"X-Request-Timeout": "2"}, timeout=20).status_code == 200


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
    begun = time.monotonic()
    with RawConnection(limits.port) as connection:
        connection.send(data)
        answer = connection.answer()
        assert answer is not None and answer.status == 400, answer
        invariants.is_an_error(Outcome.of(answer))
        error = json.loads(answer.body)["error"]
        assert words in error, error
        # No name of a library's own error.
        assert not re.search(r"[a-z][A-Z]\w*$", error), error
        assert time.monotonic() - begun < 5
    invariants.goes_on()


def test_what_was_understood_is_answered_before_the_rest_is_refused(limits: Server, invariants: Invariants) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(request("/length", "Content-Length: 3", body=b"abc") + b"\x00\x00garbage\r\n\r\n")
        answer = connection.answer()
        assert answer is not None and answer.status == 200, answer
    invariants.goes_on()


# Forms and JSON


def test_forms_and_json_have_limits_that_the_server_sets(limits: Server, invariants: Invariants) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert limits.post("length", data="a=1&b=2&c=3", headers=form).status_code in (200, 500)
    outcome = invariants.hold(400, lambda: limits.post("length", data="a=1&b=2&c=3&d=4", headers=form), "length")
    assert b"CORTEX_MAX_FORM_PARTS" in outcome.body
    parts = {f"f{number}": ("a.txt", b"x") for number in range(4)}
    outcome = invariants.hold(400, lambda: limits.post("length", files=parts), "length")
    assert b"CORTEX_MAX_FORM_PARTS" in outcome.body
    nested = {"Content-Type": "application/json"}
    assert limits.post("length", data="[" * 10 + "]" * 10, headers=nested).status_code == 200
    outcome = invariants.hold(400, lambda: limits.post("length", data="[" * 11 + "]" * 11, headers=nested), "length")
    assert b"CORTEX_MAX_JSON_DEPTH" in outcome.body


# Encoded bodies


def encoded(server: Server, body: bytes, coding: str, target: str = "/length") -> Answer | None:
    """Sends an encoded body whole."""
    return exchange(
        server.port, request(target, f"Content-Encoding: {coding}", f"Content-Length: {len(body)}", body=body)
    )


@pytest.mark.parametrize("size", [0, 1, 60_000, 70_000, 1_000_000, 4 << 20])
@pytest.mark.parametrize("coding", ["gzip", "X-GZIP", "deflate"])
def test_an_encoded_body_arrives_as_it_was(limits: Server, invariants: Invariants, size: int, coding: str) -> None:
    content = os.urandom(size // 2) + bytes(size - size // 2)
    pack = zlib.compress if coding == "deflate" else gzip.compress
    outcome = invariants.hold(200, lambda: encoded(limits, pack(content), coding), api="length")
    assert json.loads(outcome.body) == {"length": size, "sum": sum(content[:1000])}
    assert spooled(limits) == []


def test_members_follow_each_other_in_chunks_of_any_size(limits: Server, invariants: Invariants) -> None:
    body = gzip.compress(b"one") + gzip.compress(b"") + gzip.compress(b"two" * 1000)
    for size in (1, 7, 4096):
        data = request("/length", "Content-Encoding: gzip", "Transfer-Encoding: chunked", body=chunks(body, size))
        outcome = invariants.hold(200, lambda data=data: exchange(limits.port, data), "length")  # type: ignore[misc]
        assert json.loads(outcome.body)["length"] == 3003


def test_the_predictor_sees_the_headers_of_what_it_gets(limits: Server) -> None:
    answer = encoded(limits, gzip.compress(b"a" * 500), "gzip", target="/length?answer=headers")
    assert answer is not None and answer.status == 200
    headers = json.loads(answer.body)
    assert "content-encoding" not in headers and headers["content-length"] == "500"


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"a" * 100)[:-1],
        gzip.compress(os.urandom(200_000))[:-9],
        gzip.compress(b"a" * 100) + b"trailing",
        gzip.compress(b"a" * 100)[:-8] + bytes(8),
        b"no gzip at all",
        b"\x1f\x8b",
    ],
    ids=["cut", "cut-large", "trailing", "checksum", "none", "begun"],
)
def test_a_damaged_body_is_malformed(limits: Server, invariants: Invariants, body: bytes) -> None:
    outcome = invariants.hold(400, lambda: encoded(limits, body, "gzip"), "length")
    assert json.loads(outcome.body)["code"] == "MALFORMED_ENCODING"
    assert spooled(limits) == []


def test_the_limit_is_for_what_comes_of_the_body(limits: Server, invariants: Invariants) -> None:
    for size, status in ((OWN, 200), (OWN + 1, 413)):
        # What cannot be compressed is longer on the wire than it is.
        for content in (bytes(size), os.urandom(size)):
            body = gzip.compress(content)
            outcome = invariants.hold(status, lambda body=body: encoded(limits, body, "gzip", "/narrow"), "narrow")  # type: ignore[misc]
            assert status == 200 or b"networking.max_body_size of narrow" in outcome.body


@pytest.mark.skipif(not MEASURABLE, reason="needs /proc")
def test_a_bomb_takes_no_memory_and_no_disk(limits: Server, invariants: Invariants) -> None:
    bomb = gzip.compress(bytes(200 << 20))
    before = Footprint.of(limits.pid).resident
    for _ in range(5):
        invariants.hold(413, lambda: encoded(limits, bomb, "gzip"), "length")
    assert Footprint.of(limits.pid).resident - before < 32 << 20
    assert spooled(limits) == []
    # What never yields a byte ends too.
    empty = gzip.compress(b"")
    data = request("/narrow", "Content-Encoding: gzip", "Transfer-Encoding: chunked", body=chunks(empty * 3000, 8000))
    outcome = invariants.hold(413, lambda: exchange(limits.port, data), "narrow")
    assert b"max_body_size" in outcome.body


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "foo"])
def test_A14_other_encodings_are_told_which_ones_are_read(limits: Server, invariants: Invariants, coding: str) -> None:
    outcome = invariants.hold(415, lambda: encoded(limits, b"abc", coding), "length")
    assert outcome.headers["accept-encoding"] == "gzip, deflate"


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


# Slow clients


def test_D16_a_body_that_trickles_in_is_given_up(limits: Server, invariants: Invariants) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(request("/length", "Content-Length: 1000000", body=bytes(200_000)))
        connection.socket.settimeout(0.2)
        answer = b""
        begun = time.monotonic()
        # Never silent for as long as the body timeout: it is the rate that is too low, in spite of the fast start.
        while not answer and time.monotonic() - begun < 20:
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
        begun = time.monotonic()
        invariants.goes_on()
        assert time.monotonic() - begun < 5


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
            within=30,
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
            within=30,
        )
        answer = limits.post("stream?whole&pieces=160")
        assert len(answer.content) == 160 * 65536
        # And nobody may keep an answer for ever.
        eventually(lambda: connections(limits) <= 1, "the slow readers are gone", within=30)
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
            within=30,
        )
    eventually(lambda: "unread-whole" in log.read_text(), "its line is written", within=10)
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
        eventually(lambda: "asked-later" in log.read_text(), "the later line is written", within=10)
        assert "read-late" not in log.read_text()
        size = 1
        while size < 160 * 65536:
            size += len(connection.socket.recv(1 << 20))
        eventually(lambda: "read-late" in log.read_text(), "the line is written", within=10)
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
    eventually(lambda: patient.post("stream?whole&pieces=160").status_code == 200, "the room is given back", within=20)


@pytest.mark.skipif(not MEASURABLE, reason="needs /proc")
def test_answers_beyond_the_memory_for_them_wait_on_disk(patient: Server) -> None:
    with ExitStack() as stack:
        readers = [stack.enter_context(RawConnection(patient.port)) for _ in range(8)]
        for reader in readers:
            reader.send(b"".join(request("/stream?whole&pieces=14", "Content-Length: 0") for _ in range(10)))
        eventually(lambda: answer_files(patient) >= 3, "some wait in files", within=20)
        for reader in readers:
            for _ in range(10):
                answer = reader.answer()
                assert answer is not None and len(answer.body) == 14 * 65536
    eventually(lambda: answer_files(patient) == 0, "no file is left", within=10)


def test_a_client_does_not_answer_for_the_time_that_the_server_inflates(binary: Path, short_folder: Path) -> None:
    packed = gzip.compress(bytes(100 << 20), 9)
    with Server(binary, short_folder / "inflate", CORTEX_BODY_TIMEOUT="100ms", CORTEX_RATE_WINDOW="100ms") as server:
        apis = [API("length", path="length.py")]
        apis.append(API("narrow", path="length.py", sections={"networking": {"max_body_size": 90 << 20}}))
        server.deploy(write(short_folder / "inflate-project", {"length.py": LENGTH}, *apis))

        def send(target: str) -> Answer | None:
            head = (f"Content-Length: {len(packed)}", "Content-Encoding: gzip")
            return exchange(server.port, request(target, *head, body=packed), within=60)

        for target, status, count in (("/length", 200, 3), ("/narrow", 413, 6)):
            with ThreadPoolExecutor(count) as pool:
                answers = list(pool.map(send, [target] * count))
            assert [answer.status if answer else None for answer in answers] == [status] * count


def connections(server: Server) -> int:
    """Open connections on the data port, as the kernel has them."""
    wanted = f":{server.port:04X}"
    count = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        count += fields[1].endswith(wanted) and fields[3] == "01"
    return count


# Connections


def test_A17_pipelined_requests_are_answered_in_order(limits: Server, invariants: Invariants) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(b"".join(request("/length", f"Content-Length: {n}", body=bytes(n)) for n in range(100)))
        lengths = []
        reader = connection.socket.makefile("rb")
        for _ in range(100):
            assert b" 200 " in reader.readline()
            size = 0
            while (line := reader.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            lengths.append(json.loads(reader.read(size))["length"])
    assert lengths == list(range(100))
    invariants.goes_on()


@pytest.mark.parametrize(
    ("version", "headers", "closes"),
    [
        ("1.0", [], True),
        ("1.0", ["Connection: keep-alive"], False),
        ("1.1", ["Connection: close"], True),
        ("1.1", [], False),
    ],
)
def test_A19_a_connection_ends_when_its_client_wants(
    limits: Server, version: str, headers: list[str], closes: bool
) -> None:
    with RawConnection(limits.port) as connection:
        data = request("/length", "Content-Length: 1", *headers, body=b"a", version=version)
        connection.send(data)
        answer = connection.answer()
        assert answer is not None and answer.status == 200
        assert ("close" in answer.values("connection")) == closes
        if closes:
            assert connection.is_closed()
        else:
            connection.send(data)
            again = connection.answer()
            assert again is not None and again.status == 200


def test_A20_one_connection_too_many_is_told_so(binary: Path, folder: Path) -> None:
    with Server(binary, folder / "home", CORTEX_MAX_CONNECTIONS="20") as server, ExitStack() as stack:
        eventually(lambda: connections(server) == 0, "no connection is left")
        held = [stack.enter_context(RawConnection(server.port)) for _ in range(20)]
        for connection in held:
            connection.send(request("/livez", method="GET"))
            answer = connection.answer()
            assert answer is not None and answer.status == 200
        with RawConnection(server.port) as connection:
            connection.send(request("/livez", method="GET"))
            answer = connection.answer()
            assert answer is not None and answer.status == 503, answer
            assert "CORTEX_MAX_CONNECTIONS" in json.loads(answer.body)["error"]
            assert connection.is_closed()
        held[0].socket.close()
        eventually(lambda: server.get("/livez").status_code == 200, "there is room again")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs prlimit")
def test_G07_no_more_descriptors_pause_the_port_and_no_more(own_server: Server, folder: Path) -> None:
    server = own_server
    source: dict[str, str | bytes] = {
        "predictor.py": """
            class PythonPredictor:
                def predict(self, payload):
                    return len(payload)
        """
    }
    server.deploy(write(folder / "project", source, API("few")))
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir(f"/proc/{server.pid}/fd"))
    with ExitStack() as stack:
        first = stack.enter_context(RawConnection(server.port))
        ask = request("/few", "Content-Length: 3", body=b"abc")
        first.send(ask)
        assert first.answer() is not None
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used + 8, hard))
        for _ in range(40):
            stack.enter_context(RawConnection(server.port))
        begun, busy = time.monotonic(), cpu(server.pid)
        # Who is connected is served meanwhile.
        while time.monotonic() - begun < 2:
            first.send(ask)
            answer = first.answer()
            assert answer is not None and answer.status == 200
            time.sleep(0.1)
        assert cpu(server.pid) - busy < 1, "the server spins"
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert server.post("few", data=b"abc").text == "3"


def cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# Large bodies


@pytest.mark.slow
@pytest.mark.skipif(not MEASURABLE, reason="needs /proc")
def test_large_bodies_leave_memory_flat_and_others_alone(own_server: Server, folder: Path) -> None:
    server = own_server
    server.deploy(project(folder / "project", "big-"))
    small = Invariants(server, lambda: server.post("big-length", data=b"abc"))
    small.goes_on()
    before = Footprint.of(server.pid).resident
    peak = before
    slowest = 0.0
    with ThreadPoolExecutor(2) as pool:
        up = pool.submit(server.post, "big-narrow?x=1", data=b"", timeout=60)
        up.result()
        up = pool.submit(server.post, "big-length", data=bytes(100 << 20), timeout=120)
        down = pool.submit(server.post, "big-stream?whole&pieces=1600", timeout=120)
        with requests.Session() as session:
            while not (up.done() and down.done()):
                begun = time.monotonic()
                assert session.get(server.url("/livez"), timeout=20).status_code == 200
                slowest = max(slowest, time.monotonic() - begun)
                peak = max(peak, Footprint.of(server.pid).resident)
    assert up.result().json()["length"] == 100 << 20
    assert len(down.result().content) == 1600 * 65536
    assert peak - before < 48 << 20, (before, peak)
    assert slowest < 1, slowest


# The server's own options


@pytest.mark.parametrize(
    ("flag", "value", "allowed"),
    [
        ("--max-body-size", "0", "from 1 to"),
        ("--max-body-size", "many", "such as 1Gi"),
        ("--max-headers", "0", "from 1 to 10000"),
        ("--max-headers", "1.5", "from 1 to 10000"),
        ("--max-header-size", "1", "from 128"),
        ("--max-url-length", "1Ti", "to 1Mi"),
        ("--max-head-size", "x", "from 256"),
        ("--max-form-parts", "0", "from 1"),
        ("--max-json-depth", "901", "from 1 to 900"),
        ("--max-connections", "0", "from 1"),
        ("--inline-limit", "1", "from 4Ki"),
        ("--spool-budget", "0", "from 1"),
        ("--header-timeout", "0s", "from 1ms"),
        ("--body-timeout", "5", "such as 1m0s"),
        ("--idle-timeout", "never", "to 24h0m0s"),
        ("--min-upload-rate", "0", "from 1"),
        ("--min-download-rate", "", "from 1"),
        ("--rate-window", "1ms", "from 100ms"),
    ],
)
def test_F11_a_limit_that_is_none_is_refused(cortex: Cortex, flag: str, value: str, allowed: str) -> None:
    done = cortex.run("server", "run", flag, value)
    assert done.returncode == 2 and f'{flag} is "{value}"' in done.stderr and allowed in done.stderr, done.stderr
    if value:
        variable = "CORTEX_" + flag[2:].upper().replace("-", "_")
        cortex.environment[variable] = value
        done = cortex.run("server", "start")
        assert done.returncode == 2 and variable in done.stderr and allowed in done.stderr, done.stderr


def test_F11_negative_limits_are_wrong_usage(cortex: Cortex) -> None:
    assert cortex.run("server", "run", "--max-body-size", "-1").returncode == 2
    assert cortex.run("server", "run", "--max-body-size=-1").returncode == 2


def test_a_flag_wins_over_its_variable(binary: Path, folder: Path) -> None:
    server = Server(binary, folder / "home", CORTEX_MAX_URL_LENGTH="1Ki")
    try:
        server.start("--max-url-length", "2Ki")
        assert exchange(server.port, request("/" + "a" * 1500, method="GET"), "GET").status == 404  # type: ignore[union-attr]
        assert exchange(server.port, request("/" + "a" * 2500, method="GET"), "GET").status == 414  # type: ignore[union-attr]
    finally:
        server.stop()


def test_every_limit_is_in_the_help_and_in_the_documents(cortex: Cortex, repository: Path) -> None:
    text = cortex.ok("server", "run", "--help")
    flags = re.findall(r"--((?:max|min|inline|spool|header|body|idle|rate)-[a-z-]+)", text)
    assert len(set(flags)) >= 16, flags
    table = (repository / "docs" / "limits.md").read_text()
    for flag in flags:
        assert f"`--{flag}`" in table and "CORTEX_" + flag.upper().replace("-", "_") in table, flag
