"""Reads answers as strictly as a client may."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass

STATUS = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [\x20-\x7e]+")
HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\x20-\x7e\x80-\xff\t]*)")


class Malformed(Exception):
    """What came is no HTTP, or no error of ours."""


@dataclass(frozen=True)
class Answer:
    """One whole answer."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def request_id(self) -> str:
        """`X-Request-ID`."""
        return self.headers.get(b"x-request-id", b"").decode("latin-1")

    def check(self) -> None:
        """An error says what it is; none is the server's own fault."""
        if not self.request_id:
            raise Malformed(f"no id: {self}")
        if self.status < 400:
            return
        if self.status in (500, 502, 507):
            raise Malformed(f"a fault of the server: {self}")
        error = json.loads(self.body)
        if not error["error"] or not error["code"] or error["request_id"] != self.request_id:
            raise Malformed(f"an error that does not say which: {self}")


async def answers(reader: asyncio.StreamReader) -> list[Answer]:
    """All answers until the server closes; none is to a HEAD, whose answers only the asker can read."""
    found: list[Answer] = []
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise Malformed(f"half a head: {error.partial[:200]!r}") from error
            return found
        first, *lines = head[:-4].split(b"\r\n")
        status = STATUS.fullmatch(first)
        fields = [HEADER.fullmatch(line) for line in lines]
        if status is None or None in fields:
            raise Malformed(f"no head of HTTP: {head[:500]!r}")
        pairs = [(field[1].lower(), field[2]) for field in fields if field]
        headers = dict(pairs)
        for single in (b"content-length", b"transfer-encoding", b"x-request-id", b"date", b"connection"):
            if sum(name == single for name, _ in pairs) > 1:
                raise Malformed(f"{single!r} twice: {head!r}")
        code = int(status[1])
        if code == 100:
            continue
        found.append(Answer(code, headers, await _body(reader, code, headers)))


async def _body(reader: asyncio.StreamReader, status: int, headers: dict[bytes, bytes]) -> bytes:
    if b"transfer-encoding" in headers:
        raise Malformed("a stream that nobody asked for")
    if status in (204, 304):
        if b"content-length" in headers:
            raise Malformed(f"a length with {status}")
        return b""
    try:
        return await reader.readexactly(int(headers[b"content-length"]))
    except asyncio.IncompleteReadError as error:
        raise Malformed(f"half a body: {error.partial[:200]!r}") from error
