"""HTTP/2: heads, and what is malformed."""

from __future__ import annotations

import hashlib
import json
import re

import h2.errors
import h2.events
import h2.settings
import pytest

from blackbox.http2 import HEAD, HTTP2Connection, settled, without


def test_a_large_head_is_read_and_one_too_large_ends_its_stream_alone(connection: HTTP2Connection) -> None:
    settled(connection)
    neighbour = connection.request("/echo", end=False)
    assert connection.answer(connection.request("/echo", more=[(f"x-{n}", "v" * 1000) for n in range(200)]))[0] == 200
    for count, size, limit in ((200, 2000, "HEAD_SIZE"), (300, 1, "HEADERS"), (1, 100_000, "HEADER_SIZE")):
        more = [(f"x-{n}", "v" * size) for n in range(count)]
        status, _, body = connection.answer(connection.request("/echo", more=more))
        assert status == 431 and re.findall(rb"CORTEX_MAX_(\w+)", body) == [limit.encode()]
    path = "/echo?" + "q" * 70_000
    assert connection.answer(connection.request(path))[0] == 414
    connection.send(neighbour, b"1")
    assert connection.answer(neighbour)[0] == 200


def test_headers_are_those_of_http2(connection: HTTP2Connection) -> None:
    settled(connection)
    stream = connection.request("/echo?answer=headers", more=[("x-a", "b")], end=False)
    connection.send(stream, b"1")
    status, _, body = connection.answer(stream)
    headers = json.loads(body)
    assert status == 200 and headers["x-a"] == "b" and "transfer-encoding" not in headers
    for more in ([("content-length", "1"), ("content-length", "1")], [("x-a", " b")], [("x-a", "b\t")]):
        stream = connection.request("/echo", more=more, end=False)
        connection.send(stream, b"1")
        assert connection.answer(stream)[0] == 400, more


def test_a_large_head_before_the_settings_are_read(connection: HTTP2Connection) -> None:
    assert connection.answer(connection.request("/echo", more=[(f"x-{n}", "v" * 1000) for n in range(200)]))[0] == 200


@pytest.mark.parametrize(
    ("head", "body"),
    [
        pytest.param(without(":path"), None, id="no path"),
        pytest.param(without(":method"), None, id="no method"),
        pytest.param(without(":authority"), None, id="no authority"),
        pytest.param(without(":authority"), b"1", id="no authority, and a body"),
        pytest.param([*HEAD.items(), (":path", "/echo")], None, id="two paths"),
        pytest.param([*without(":path"), (":path", "/echo HTTP/1.1\r\nx: y")], None, id="a line in the path"),
        pytest.param([*HEAD.items(), ("X-Upper", "a")], None, id="upper case"),
        pytest.param([*HEAD.items(), ("connection", "close")], None, id="connection"),
        pytest.param([*HEAD.items(), ("transfer-encoding", "chunked")], None, id="transfer-encoding"),
        pytest.param([*HEAD.items(), ("content-length", "3")], b"12345", id="more than announced"),
        pytest.param([*HEAD.items(), ("content-length", "3")], b"1", id="less than announced"),
    ],
)
def test_a_malformed_request_is_not_run(
    connection: HTTP2Connection, head: list[tuple[str, str]], body: bytes | None
) -> None:
    stream = int(connection.http.get_next_available_stream_id())
    connection.http.send_headers(stream, head, end_stream=body is None)
    if body is not None:
        connection.http.send_data(stream, body, end_stream=True)
    connection.flush()
    ends = (h2.events.ConnectionTerminated, h2.events.StreamReset, h2.events.StreamEnded)
    connection.read(lambda events: any(isinstance(event, ends) for event in events))
    heads = [event for event in connection.events if isinstance(event, h2.events.ResponseReceived)]
    assert not heads or dict(heads[0].headers or [])[b":status"] == b"400"
    assert connection.is_closed or any(isinstance(event, ends) for event in connection.events)


@pytest.mark.parametrize("increment", [0, (1 << 31) - 1], ids=["zero", "overflow"])
def test_a_wrong_window_update_ends_the_connection(connection: HTTP2Connection, increment: int) -> None:
    connection.flush(b"\x00\x00\x04\x08\x00" + bytes(4) + increment.to_bytes(4, "big"))
    assert connection.is_ended()


def test_trailers_are_read_past(connection: HTTP2Connection) -> None:
    stream = connection.request("/echo?hash", end=False)
    connection.http.send_data(stream, b"abc")
    connection.http.send_headers(stream, [("x-sum", "1")], end_stream=True)
    connection.flush()
    status, _, body = connection.answer(stream)
    assert status == 200 and hashlib.sha256(b"abc").hexdigest() in body.decode()
