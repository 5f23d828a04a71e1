"""HTTP/2: streams, what they wait for, and the end of a connection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import h2.errors
import h2.events
import h2.settings
import pytest

from blackbox import certificates
from blackbox.certificates import Certificate
from blackbox.conditions import eventually
from blackbox.http2 import DATA, END_STREAM, GOAWAY, HEADERS, PING, HTTP2Connection, resets, without
from blackbox.project import API, write
from blackbox.secure import PREDICTOR, port, tls
from blackbox.server import Server


def test_streams_are_answered_as_they_are_ready(secure: Server, connection: HTTP2Connection) -> None:
    slow = connection.request("/echo?wait=order")
    secure.await_log("echo", "waiting for order")
    quick = connection.request("/echo?size=1")
    assert connection.answer(quick)[0] == 200
    assert connection.answer(connection.request("/echo?open"))[0] == 200
    assert connection.answer(slow)[2] == b"waited"


@pytest.mark.parametrize(
    ("method", "path", "length"),
    [
        ("POST", "/echo?size=7", 7),
        ("POST", "/echo?size=0", 0),
        ("HEAD", "/echo", 0),
        ("POST", "/echo?empty", 0),
        ("POST", "/echo?size=3000000", 3000000),
        ("POST", "/nothing", None),
    ],
)
def test_the_end_is_in_the_last_frame(connection: HTTP2Connection, method: str, path: str, length: int | None) -> None:
    # A client that knows the length has it all without an end behind; curl then resets each stream, as a flood does.
    connection.http.increment_flow_control_window(1 << 24)
    connection.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 1 << 24})
    stream = connection.request(path, method=method)
    frames = [frame for frame in connection.frames(until=stream) if frame.stream == stream]
    body = sum(len(frame.payload) for frame in frames if frame.type == DATA)
    assert frames[-1].flags & END_STREAM and (frames[-1].payload if body else frames[-1].type == HEADERS), frames[-1]
    assert length is None or body == length


def test_a_reset_stream_is_a_client_that_has_left(secure: Server, connection: HTTP2Connection) -> None:
    before = secure.metrics("cortex_cancelled_requests_total", api="echo")
    stream = connection.request("/echo?wait=reset")
    secure.await_log("echo", "waiting for reset")
    connection.http.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
    connection.flush()
    eventually(
        lambda: secure.metrics("cortex_cancelled_requests_total", api="echo") == before + 1,
        "it is counted",
    )
    assert connection.answer(connection.request("/echo?open"))[0] == 200
    eventually(lambda: secure.metrics("cortex_in_flight_requests", api="echo") == 0, "nothing is left")


def test_a_refused_body_is_not_read_and_the_connection_goes_on(connection: HTTP2Connection) -> None:
    stream = connection.request("/locked", end=False, more=[("content-length", "900000000")])
    status, headers, body = connection.answer(stream)
    assert status == 401 and b"UNAUTHORIZED" in body and "connection" not in headers
    resets = h2.events.StreamReset
    connection.read(lambda events: any(isinstance(event, resets) for event in events))
    (reset,) = [event for event in connection.events if isinstance(event, resets)]
    assert reset.error_code == h2.errors.ErrorCodes.NO_ERROR
    assert connection.answer(connection.request("/echo?size=1"))[0] == 200


def test_a_reader_that_stops_holds_up_nobody(secure: Server, connection: HTTP2Connection) -> None:
    # As browsers do: much for the connection, little for each stream.
    connection.http.increment_flow_control_window(1 << 24)
    stream = connection.request("/echo?size=3000000")
    received = h2.events.DataReceived
    connection.read(
        lambda events: sum(len(e.data or b"") for e in events if isinstance(e, received)) >= 65535, acknowledge=False
    )
    assert secure.post("/echo", json=2).json() == 2
    short = connection.request("/echo", method="HEAD")
    assert connection.answer(short)[0] == 200, "nor another stream of its own connection"
    taken = sum(e.flow_controlled_length or 0 for e in connection.events if isinstance(e, received))
    connection.http.acknowledge_received_data(taken, stream)
    connection.flush()
    assert len(connection.answer(stream)[2]) == 3000000


@pytest.mark.parametrize("size", [900_000, 3_000_000])
def test_a_stream_whose_reader_stops_is_cut_alone(secure: Server, connection: HTTP2Connection, size: int) -> None:
    before = secure.metrics("cortex_cancelled_requests_total", api="echo", stage="reading")
    connection.http.increment_flow_control_window(1 << 24)
    stream = connection.request(f"/echo?size={size}", more=[("x-request-id", f"stopped-{size}")])
    resets = h2.events.StreamReset
    connection.read(lambda events: any(isinstance(event, resets) for event in events), acknowledge=False)
    assert [event.stream_id for event in connection.events if isinstance(event, resets)] == [stream]
    assert secure.metrics("cortex_cancelled_requests_total", api="echo", stage="reading") == before + 1
    assert connection.answer(connection.request("/echo", method="HEAD"))[0] == 200
    log = secure.home / "logs" / "access.log"
    eventually(lambda: f"stopped-{size}" in log.read_text(), "its line is written")
    (line,) = [line for line in log.read_text().splitlines() if f"stopped-{size}" in line]
    assert '"READER_TOO_SLOW"' in line


def test_answers_of_one_connection_that_are_not_read_wait_on_disk(secure: Server, connection: HTTP2Connection) -> None:
    streams = [connection.request("/echo?size=900000") for _ in range(14)]

    def files() -> int:
        count = 0
        for entry in Path(f"/proc/{secure.pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                count += os.readlink(entry).endswith(".body (deleted)")
        return count

    eventually(lambda: files() >= 3, "some wait in files")
    sizes, seen = dict.fromkeys(streams, 0), 0

    def whole(events: list[h2.events.Event]) -> bool:
        # Quicker than `answer`, which looks at all events each time: a reader that is slow is cut.
        nonlocal seen
        for event in events[seen:]:
            if isinstance(event, h2.events.DataReceived):
                sizes[event.stream_id or 0] += len(event.data or b"")
        seen = len(events)
        return all(size == 900_000 for size in sizes.values())

    connection.read(whole)
    assert set(sizes.values()) == {900_000}
    eventually(lambda: files() == 0, "no file is left")


def test_an_answer_waits_for_a_window(connection: HTTP2Connection) -> None:
    connection.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
    connection.flush()
    stream = connection.request("/echo?size=9")
    heads = h2.events.ResponseReceived
    connection.read(lambda events: any(isinstance(event, heads) for event in events))
    assert not any(isinstance(event, h2.events.DataReceived) for event in connection.events)
    connection.http.increment_flow_control_window(9, stream)
    connection.flush()
    assert len(connection.answer(stream)[2]) == 9


@pytest.fixture
def ending(binary: Path, folder: Path) -> Iterator[tuple[Server, Certificate]]:
    """A server that a test may end."""
    made = certificates.make(folder / "tls")
    settings = {**tls(made.certificate, made.key), "CORTEX_IDLE_TIMEOUT": "2s"}
    with Server(binary, folder / "home", None, **settings) as server:
        server.deploy(write(folder / "p", PREDICTOR, API("echo", predictor={"threads_per_process": 2})))
        yield server, made


def test_a_connection_with_a_stream_is_not_idle(ending: tuple[Server, Certificate], folder: Path) -> None:
    server, made = ending
    with HTTP2Connection(port(server), made.trust()) as busy, HTTP2Connection(port(server), made.trust()) as idle:
        stream = busy.request(f"/echo?until={folder / 'gate'}")
        assert idle.is_ended(), "its time is over, and that of the one before it would be"
        (folder / "gate").touch()
        assert busy.answer(stream)[2] == b"waited"
        assert busy.is_ended(), "idle in its turn"


def test_an_idle_connection_is_closed_though_it_answers_no_ping(ending: tuple[Server, Certificate]) -> None:
    server, made = ending
    with HTTP2Connection(port(server), made.trust()) as used, HTTP2Connection(port(server), made.trust()) as unused:
        used.request("/livez", method="GET")
        for connection in (used, unused):
            assert [frame.type for frame in connection.frames()][-3:-1] == [GOAWAY, PING]


def test_a_stream_that_is_refused_at_once_leaves_its_connection_idle(ending: tuple[Server, Certificate]) -> None:
    server, made = ending
    with HTTP2Connection(port(server), made.trust()) as connection:
        connection.http.send_headers(1, without(":authority"))
        connection.flush()
        connection.read(lambda events: bool(resets(events)))
        assert connection.is_ended(), "after the idle time"


@pytest.mark.parametrize("answers", [True, False], ids=["who answers pings", "who does not"])
def test_a_shutdown_finishes_streams_and_says_goodbye(
    ending: tuple[Server, Certificate], folder: Path, answers: bool
) -> None:
    server, made = ending
    gate = folder / "gate"
    with HTTP2Connection(port(server), made.trust()) as busy, HTTP2Connection(port(server), made.trust()) as silent:
        stream = busy.request(f"/echo?until={gate}")
        server.await_log("echo", "waiting for a file")
        silent.request("/livez", method="GET")
        assert server.process is not None
        server.process.terminate()
        # The library reads nothing more after a goodbye, so this is read by the frame.
        frames = busy.frames()
        goodbye = next(frame for frame in frames if frame.type == GOAWAY)
        if answers:
            ping = next(frame for frame in frames if frame.type == PING)
            busy.flush(b"\x00\x00\x08\x06\x01\x00\x00\x00\x00" + ping.payload)
            goodbye = next(frame for frame in frames if frame.type == GOAWAY)
            assert int.from_bytes(goodbye.payload[:4], "big") == stream, "nothing of it is dropped"
        assert goodbye.payload[4:8] == bytes(4), "no error"
        assert GOAWAY in {frame.type for frame in silent.frames()}, "it is closed, though it answers no ping"
        gate.touch()
        body = b""
        for frame in frames:
            if frame.type == DATA and frame.stream == stream:
                body += frame.payload
                if frame.flags & END_STREAM:
                    break
        assert body == b"waited"
        assert {frame.type for frame in frames} <= {PING, GOAWAY}, "and is closed"
    assert server.process.wait(60) == 0
