"""HTTP/2: too many streams, and floods of what costs a client nothing."""

from __future__ import annotations

import h2.errors
import h2.events
import h2.settings
import pytest

from blackbox.http2 import HTTP2Connection, resets, settled


@pytest.mark.parametrize("knows", [True, False], ids=["who knows", "before the settings are read"])
def test_a_stream_too_many_ends_alone(connection: HTTP2Connection, knows: bool) -> None:
    if knows:
        settled(connection)
        assert connection.http.remote_settings.max_concurrent_streams == 100
        # The library would not send one more, so it is told of a larger limit.
        connection.http.remote_settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS] = 1000
        connection.http.remote_settings.acknowledge()
    streams = [connection.request("/echo", end=False) for _ in range(150)]
    connection.read(lambda events: len(resets(events)) >= 50)
    assert resets(connection.events) == dict.fromkeys(streams[100:], h2.errors.ErrorCodes.REFUSED_STREAM)
    for stream in streams[:100]:
        connection.send(stream, b"1")
    assert {connection.answer(stream)[0] for stream in streams[:100]} == {200}
    assert connection.answer(connection.request("/echo?size=1"))[0] == 200, "there is room again"


def test_a_flood_of_streams_too_many_ends_the_connection(connection: HTTP2Connection) -> None:
    for _ in range(3000):
        connection.request("/echo", end=False)
        if connection.is_closed:
            break
    assert connection.is_ended()


def test_what_was_on_its_way_to_a_stream_that_was_reset_is_passed_over(connection: HTTP2Connection) -> None:
    settled(connection)
    streams = [connection.request("/locked", end=False, more=[("content-length", "900000000")]) for _ in range(90)]
    connection.read(lambda events: len(resets(events)) == 90)
    for stream in streams:
        connection.flush(b"\x00\x00\x05\x00\x00" + stream.to_bytes(4, "big") + b"hello")  # DATA
    assert connection.answer(connection.request("/echo?size=1"))[0] == 200


def test_a_client_that_often_changes_its_mind_stays(connection: HTTP2Connection) -> None:
    settled(connection)
    for _ in range(600):
        stream = connection.request("/echo", end=False)
        connection.http.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        # As some clients do, to learn that the server knows.
        connection.http.ping(b"01234567")
        connection.flush()
    assert connection.answer(connection.request("/echo?size=1"))[0] == 200


def test_empty_pieces_of_several_bodies_are_no_flood(connection: HTTP2Connection) -> None:
    streams = [connection.request("/echo", end=False) for _ in range(50)]
    for stream in streams:
        connection.send(stream, b"", end=False)
    for stream in streams:
        connection.send(stream, b"1")
        assert connection.answer(stream)[0] == 200


def flood(connection: HTTP2Connection, once: bytes, times: int = 3000) -> None:
    """Sends the same bytes many times."""
    for _ in range(times // 100):
        connection.flush(once * 100)


def test_a_flood_of_resets_ends_the_connection(connection: HTTP2Connection) -> None:
    for _ in range(3000):
        stream = connection.request("/echo?size=1")
        if connection.is_closed:
            break
        connection.http.reset_stream(stream)
        connection.flush()
    assert connection.is_ended()


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + b"\x00" * 8, id="ping"),
        pytest.param(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", id="settings"),
        pytest.param(b"\x00\x00\x05\x02\x00\x00\x00\x00\x01" + b"\x00\x00\x00\x00\x10", id="priority"),
    ],
)
def test_a_flood_of_control_frames_ends_the_connection(connection: HTTP2Connection, frame: bytes) -> None:
    flood(connection, frame)
    assert connection.is_ended()


def test_a_flood_of_empty_data_ends_the_connection(connection: HTTP2Connection) -> None:
    stream = connection.request("/echo", end=False)
    flood(connection, b"\x00\x00\x00\x00\x00" + stream.to_bytes(4, "big"))
    assert connection.is_ended()


def test_headers_without_end_end_the_connection(connection: HTTP2Connection) -> None:
    stream = int(connection.http.get_next_available_stream_id()).to_bytes(4, "big")
    connection.flush(b"\x00\x00\x01\x01\x00" + stream + b"\x82")  # HEADERS without END_HEADERS
    flood(connection, b"\x00\x00\x02\x09\x00" + stream + b"\x40\x01" * 1, times=3000)  # CONTINUATION
    assert connection.is_ended()
