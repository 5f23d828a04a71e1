"""HTTP/2 frame by frame, for what no client library would send."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import h2.config
import h2.connection
import h2.errors
import h2.events

DATA, HEADERS, PING, GOAWAY = 0, 1, 6, 7
"""Types of frames."""

END_STREAM = 1
"""A flag of `DATA` and `HEADERS`."""


class Frame(NamedTuple):
    """A frame as it came."""

    type: int
    flags: int
    stream: int
    payload: bytes


Header = tuple[str, str]
Until = Callable[[list[h2.events.Event]], bool]


class HTTP2Connection:
    """A connection that checks nothing of what it sends; events are kept in `events`."""

    def __init__(self, port: int, context: ssl.SSLContext, within: float = 60) -> None:
        context.set_alpn_protocols(["h2"])
        raw = socket.create_connection(("127.0.0.1", port), timeout=within)
        self.socket = context.wrap_socket(raw, server_hostname="localhost")
        assert self.socket.selected_alpn_protocol() == "h2"
        config = h2.config.H2Configuration(
            client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.http = h2.connection.H2Connection(config)
        self.http.initiate_connection()
        self.events: list[h2.events.Event] = []
        self.is_closed = False
        self.reads = True
        self.flush()

    def __enter__(self) -> HTTP2Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def flush(self, data: bytes | None = None) -> None:
        """Sends what is ready, or `data`; a server that is gone is noticed by the next read."""
        try:
            self.socket.sendall(self.http.data_to_send() if data is None else data)
        except OSError:
            self.is_closed = True

    def request(self, path: str, method: str = "POST", more: Sequence[Header] = (), end: bool = True) -> int:
        """Opens a stream, and returns its number."""
        stream = int(self.http.get_next_available_stream_id())
        head = [(":method", method), (":path", path), (":scheme", "https"), (":authority", "localhost")]
        self.http.send_headers(stream, [*head, *more], end_stream=end)
        self.flush()
        return stream

    def send(self, stream: int, data: bytes, end: bool = True) -> None:
        """Sends a small body, within the window that every server gives."""
        self.http.send_data(stream, data, end_stream=end)
        self.flush()

    def read(self, until: Until, acknowledge: bool = True) -> list[h2.events.Event]:
        """Reads until the events fulfil `until`, or the server closes.

        Without `acknowledge` the flow control windows stay as they are.
        """
        while not self.is_closed and not until(self.events):
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                self.is_closed = True
                break
            for event in self.http.receive_data(data):
                self.events.append(event)
                if acknowledge and isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                    self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self.flush()
        return self.events

    def answer(self, stream: int) -> tuple[int, dict[str, str], bytes]:
        """The whole answer on a stream."""
        ends = (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated)
        self.read(lambda events: any(isinstance(e, ends) and getattr(e, "stream_id", stream) == stream for e in events))
        mine = [event for event in self.events if getattr(event, "stream_id", None) == stream]
        heads = [event for event in mine if isinstance(event, h2.events.ResponseReceived)]
        assert heads, self.events
        headers = {_text(name): _text(value) for name, value in heads[0].headers or []}
        body = b"".join(event.data or b"" for event in mine if isinstance(event, h2.events.DataReceived))
        return int(headers[":status"]), headers, body

    def frames(self, until: int | None = None) -> Iterator[Frame]:
        """What comes from now on, read past the library, until the stream `until` ends or the server closes."""
        rest = b""
        while True:
            while len(rest) >= 9 and len(rest) >= 9 + int.from_bytes(rest[:3], "big"):
                end = 9 + int.from_bytes(rest[:3], "big")
                frame = Frame(rest[3], rest[4], int.from_bytes(rest[5:9], "big"), rest[9:end])
                rest = rest[end:]
                yield frame
                if frame.stream == until and frame.type in (DATA, HEADERS) and frame.flags & END_STREAM:
                    return
            piece = self.socket.recv(65536)
            if not piece:
                return
            rest += piece

    def is_ended(self) -> bool:
        """Whether the server says goodbye, or closes."""
        goodbye = h2.events.ConnectionTerminated
        self.read(lambda events: any(isinstance(event, goodbye) for event in events))
        return self.is_closed or any(isinstance(event, goodbye) for event in self.events)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


Resets = h2.events.StreamReset


def resets(events: list[h2.events.Event]) -> dict[int, int]:
    """The code of each stream that the server has reset."""
    return {int(e.stream_id or 0): int(e.error_code or 0) for e in events if isinstance(e, Resets)}


HEAD = {":method": "POST", ":path": "/echo?size=1", ":scheme": "https", ":authority": "localhost"}
"""Of a good request."""


def without(name: str) -> list[tuple[str, str]]:
    """That head but for one line."""
    return [(key, value) for key, value in HEAD.items() if key != name]


def settled(connection: HTTP2Connection) -> None:
    """Waits until both sides have the settings of the other."""
    connection.read(lambda events: any(isinstance(e, h2.events.RemoteSettingsChanged) for e in events))
    assert connection.answer(connection.request("/livez", method="GET"))[0] == 200
