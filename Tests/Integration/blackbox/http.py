"""HTTP as bytes on a socket, for what no client library would send."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse


@dataclass(frozen=True)
class Answer:
    """One answer as it came."""

    status: int
    headers: list[tuple[str, str]]
    """In order, names in lower case."""
    body: bytes

    def values(self, name: str) -> list[str]:
        """All values of one header."""
        return [value for key, value in self.headers if key == name]


class _Incoming(io.BufferedReader):
    """What comes on a connection: it outlives each `HTTPResponse`, which would close it and lose what it read ahead."""

    def close(self) -> None:
        """Is up to the connection."""

    def makefile(self, *_: object) -> _Incoming:
        """`HTTPResponse` asks a socket for this."""
        return self


class RawConnection:
    """A connection that sends exactly what it is told."""

    def __init__(self, port: int, within: float = 60) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=within)
        self._incoming = _Incoming(socket.SocketIO(self.socket, "r"))

    def __enter__(self) -> RawConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Sends; a server that closes while we still send is no error: its answer says why."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def end(self) -> None:
        """Sends the end of the stream; a server that is gone by then needs none."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def answer(self, method: str = "POST") -> Answer | None:
        """The next answer; nil where the server closed without one."""
        response = HTTPResponse(self._incoming, method=method)  # type: ignore[arg-type]
        try:
            response.begin()
            body = response.read()
        except (ConnectionError, ValueError):  # `RemoteDisconnected` is a ConnectionError
            return None
        return Answer(response.status, [(k.lower(), v) for k, v in response.getheaders()], body)

    def is_closed(self) -> bool:
        """Waits for the server to close; false when it sends more instead."""
        try:
            return self._incoming.read(1) == b""
        except ConnectionResetError:
            return True

    def pieces(self) -> Iterator[bytes]:
        """Bytes as they arrive, until the server closes."""
        while piece := self._incoming.read1(65536):
            yield piece


def exchange(port: int, data: bytes, method: str = "POST", within: float = 60) -> Answer | None:
    """Sends on a new connection and reads one answer."""
    with RawConnection(port, within) as connection:
        connection.send(data)
        return connection.answer(method)
