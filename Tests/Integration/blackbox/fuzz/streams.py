"""One connection of HTTP/2, read as strictly as a client may."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass, field

import hpack

from blackbox.fuzz.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    LAST,
    PING,
    PUSH,
    RESET,
    SETTINGS,
)
from blackbox.fuzz.grammar import Case
from blackbox.fuzz.reader import Answer, Malformed

MOMENT = 0.2
"""Seconds that a client waits for answers to what it has spoilt, before it leaves amid them."""
HOP_BY_HOP = {b"connection", b"transfer-encoding", b"keep-alive", b"upgrade"}


@dataclass
class Stream:
    """An answer as it comes."""

    block: bytes = b""
    headers: list[tuple[bytes, bytes]] | None = None
    body: bytes = b""
    ends: bool = False
    """With the block of headers that has begun."""
    is_ended: bool = False


@dataclass
class StreamReader:
    """What has come on a connection."""

    streams: dict[int, Stream] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    is_heard: bool = False
    """The last ping was answered, so all frames before it were read."""
    is_leaving: bool = False
    """The server has said goodbye."""
    _decoder: hpack.Decoder = field(default_factory=hpack.Decoder)
    _rest: bytes = b""
    _frames: int = 0
    _continued: int | None = None

    def __post_init__(self) -> None:
        # The case may have asked for any.
        self._decoder.max_allowed_table_size = 2**32

    def receive(self, data: bytes) -> None:
        """Reads the frames that are whole; raises `Malformed`."""
        self._rest += data
        while len(self._rest) >= 9:
            end = 9 + int.from_bytes(self._rest[:3], "big")
            if len(self._rest) < end:
                return
            head, payload = self._rest[:9], self._rest[9:end]
            self._rest = self._rest[end:]
            self._frame(head[3], head[4], int.from_bytes(head[5:9], "big"), payload)
            self._frames += 1

    def _frame(self, type_: int, flags: int, number: int, payload: bytes) -> None:
        if self._frames == 0 and type_ != SETTINGS:
            raise Malformed(f"the first frame is a {type_}")
        if (type_ == CONTINUATION) != (self._continued is not None) or self._continued not in (None, number):
            raise Malformed(f"a frame {type_} amid headers, or the rest of none")
        if type_ in (HEADERS, CONTINUATION):
            self._headers(flags, number, payload, begins=type_ == HEADERS)
        elif type_ == DATA:
            stream = self.streams.get(number)
            if stream is None or stream.headers is None or stream.is_ended:
                raise Malformed(f"content of stream {number}, which has no head or has ended")
            stream.body += payload
            if flags & END_STREAM:
                self._end(stream)
        elif type_ == RESET:
            self.streams.setdefault(number, Stream()).is_ended = True
        elif type_ == PING and flags & 1:
            self.is_heard = self.is_heard or payload == LAST
        elif type_ == GOAWAY:
            self.is_leaving = True
        elif type_ == PUSH or type_ > CONTINUATION:
            raise Malformed(f"a frame {type_}")

    def _headers(self, flags: int, number: int, payload: bytes, *, begins: bool) -> None:
        if number % 2 == 0:
            raise Malformed(f"an answer on stream {number}")
        stream = self.streams.setdefault(number, Stream())
        if begins:
            if stream.is_ended or stream.headers is not None:
                raise Malformed(f"a second answer on stream {number}")
            stream.ends = bool(flags & END_STREAM)
        stream.block += payload
        self._continued = None if flags & END_HEADERS else number
        if self._continued is not None:
            return
        headers = [(bytes(name), bytes(value)) for name, value in self._decoder.decode(stream.block, raw=True)]
        stream.block = b""
        names = [name for name, _ in headers]
        statuses = [value for name, value in headers if name == b":status"]
        if names[:1] != [b":status"] or len(statuses) != 1 or any(name != name.lower() for name in names):
            raise Malformed(f"no head of an answer: {headers}")
        if HOP_BY_HOP & set(names):
            raise Malformed(f"headers of HTTP/1.1: {headers}")
        for single in (b"content-length", b"x-request-id", b"date"):
            if names.count(single) > 1:
                raise Malformed(f"{single!r} twice: {headers}")
        if statuses[0] == b"100":
            return
        stream.headers = headers
        if stream.ends:
            self._end(stream)

    def _end(self, stream: Stream) -> None:
        stream.is_ended = True
        headers = dict(stream.headers or [])
        status = int(headers[b":status"])
        length = headers.get(b"content-length")
        if length is not None and int(length) != len(stream.body):
            raise Malformed(f"{len(stream.body)} bytes of {length!r}")
        self.answers.append(Answer(status, headers, stream.body))


async def exchange(case: Case, port: int, context: ssl.SSLContext) -> tuple[list[Answer], float]:
    """Sends a case; returns its answers, and the longest time between two pieces."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    found = StreamReader()
    read = asyncio.create_task(_read(reader, found, case))
    sent, pause = time.monotonic(), 0.0
    try:
        for piece in case.pieces:
            pause = max(pause, time.monotonic() - sent)
            if writer.transport.is_closing():
                break
            writer.write(piece)
            sent = time.monotonic()
            await writer.drain()
            if len(case.pieces) > 1:
                await asyncio.sleep(0.001)
        await read
    except OSError:
        # It may be reset by a server that has closed, with all of its answers on the way.
        pass
    finally:
        read.cancel()
        # Without ceremony, as clients do that crash.
        writer.transport.abort()
    return found.answers, pause


async def _read(reader: asyncio.StreamReader, found: StreamReader, case: Case) -> None:
    """Until the server closes, or there is nothing more to wait for."""
    while not found.is_heard or (case.must_answer and len(found.answers) < len(case.ids)):
        data = await reader.read(65536)
        if not data:
            return
        found.receive(data)
    end = time.monotonic() + MOMENT
    while not case.must_answer and (left := end - time.monotonic()) > 0:
        try:
            data = await asyncio.wait_for(reader.read(65536), left)
        except asyncio.TimeoutError:
            return
        if not data:
            return
        found.receive(data)
