"""Where the server is, and what names lead to it."""

from __future__ import annotations

from dataclasses import dataclass

PORT = 8888
_PREFIX = "api-"
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
# Of an API.
_LONGEST_NAME = 42


def is_api(host: object, port: object) -> bool:
    """Whether this is how a predictor names an API: `api-NAME`, a name of one label, and port 8888."""
    return _text(port) == str(PORT) and is_name(host)


def is_name(host: object) -> bool:
    """Whether it could be an API's name as a host; that there is such an API is for the gateway to say."""
    text = _text(host)
    name = text[len(_PREFIX) :]
    return text[: len(_PREFIX)].lower() == _PREFIX and 0 < len(name) <= _LONGEST_NAME and _LETTERS.issuperset(name)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)


@dataclass(frozen=True)
class Place:
    """The server's address for its own workers."""

    host: str
    port: int

    @classmethod
    def parse(cls, address: str) -> Place:
        """From `127.88.0.1:8888` or `[::1]:9000`."""
        host, _, port = address.rpartition(":")
        return cls(host.strip("[]"), int(port))

    def is_reached_by(self, host: object, port: object) -> bool:
        """Whether a connection to there is one to this server."""
        return is_api(host, port) or (_text(host) == self.host and _text(port) == str(self.port))
