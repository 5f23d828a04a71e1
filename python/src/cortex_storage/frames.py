"""The agent's own frames, on the head that all frames have. The text is `docs/wire-protocol.md`."""

from __future__ import annotations

import asyncio
import json
from struct import Struct
from typing import Any, NamedTuple

from cortex_worker.errors import ProtocolError
from cortex_worker.wire import FRAME_HEAD, HELLO, MAXIMUM_LENGTH, PROTOCOL_VERSION, frame

LIST, FETCH, ABORT, PUT, FIND, REMOVE = 0x40, 0x41, 0x42, 0x43, 0x44, 0x45
PAGE, PROGRESS, DONE, FAULT = 0x48, 0x49, 0x4A, 0x4B
MORE_FOLLOWS = 1

_BYTES = Struct("<Q")
# Far below the bound of a frame, so that no name, however it is escaped, brings a page over it.
_PAGE_LENGTH = 2 << 20


class Received(NamedTuple):
    """One frame of the server's."""

    kind: int
    flags: int
    number: int
    body: bytes


async def read(reader: asyncio.StreamReader) -> Received | None:
    """The next frame; None at end of file."""
    try:
        head = await reader.readexactly(FRAME_HEAD.size)
        length, kind, flags, _, number = FRAME_HEAD.unpack(head)
        if length > MAXIMUM_LENGTH:
            raise ProtocolError(f"frame of {length} bytes; at most {MAXIMUM_LENGTH} are allowed")
        return Received(kind, flags, number, await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def hello(token: str) -> bytes:
    """The first frame of the connection."""
    return frame(HELLO, 0, json.dumps({"protocol": PROTOCOL_VERSION, "role": "storage", "token": token}).encode())


def pages(number: int, entries: list[dict[str, Any]]) -> list[bytes]:
    """A listing, in as many frames as it takes."""
    frames: list[bytes] = []
    texts: list[str] = []
    length = 0
    for entry in entries:
        text = json.dumps(entry, separators=(",", ":"))
        if length + len(text) > _PAGE_LENGTH:
            frames.append(frame(PAGE, number, f"[{','.join(texts)}]".encode()))
            texts, length = [], 0
        texts.append(text)
        length += len(text) + 1
    if texts:
        frames.append(frame(PAGE, number, f"[{','.join(texts)}]".encode()))
    return frames


def progress(number: int, count: int) -> bytes:
    """How many bytes of a request have come."""
    return frame(PROGRESS, number, _BYTES.pack(count))


def done(number: int) -> bytes:
    """The request was carried out."""
    return frame(DONE, number)


def fault(number: int, kind: str, message: str) -> bytes:
    """The request failed."""
    return frame(FAULT, number, json.dumps({"kind": kind, "message": message}).encode())
