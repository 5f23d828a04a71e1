"""Bodies that come encoded, and bombs among them. Row A14."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from blackbox.http import Answer, exchange
from blackbox.invariants import Invariants
from blackbox.limits import LENGTH, OWN, chunks, request, spooled
from blackbox.processes import MEASURABLE, Footprint
from blackbox.project import API, write
from blackbox.server import Server


@pytest.fixture
def invariants(limits: Server) -> Invariants:
    """Checks that the server still answers."""
    return Invariants(limits, lambda: limits.post("length", data=b"abc"))


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
