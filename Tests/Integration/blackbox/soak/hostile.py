"""Clients that mean harm, or are broken: each does one thing over and over."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable
from typing import Callable

from blackbox.soak.client import read_answer, request
from blackbox.soak.traffic import JSON, LARGE


async def slow_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends a head a byte at a time, until it is shown out."""
    for byte in b"POST /soak-json HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"a" * 1000:
        if reader.at_eof():
            return
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def slow_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Announces a body and never sends the rest of it; the answer is 408."""
    writer.write(request("/soak-json", b"", JSON).replace(b"Content-Length: 0", b"Content-Length: 100") + b"{")
    answer = await read_answer(reader)
    assert answer.status == 408, answer


async def half_a_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Leaves in the middle of a body that is already on disk."""
    writer.write(request("/soak-large", bytes(LARGE), "application/octet-stream")[: LARGE * 2 // 3])
    await writer.drain()


async def no_patience(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Leaves while its request waits or runs."""
    writer.write(request("/soak-json", b'{"nonce": "gone"}', JSON))
    await writer.drain()


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends what is no HTTP, and reads what comes."""
    writer.write(random.randbytes(random.randint(1, 20_000)) + b"\r\n\r\n")
    writer.write_eof()
    await reader.read()


async def slow_reader(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Asks for much and reads little of it."""
    writer.write(request("/soak-large", bytes(LARGE), "application/octet-stream"))
    for _ in range(40):
        if not await reader.read(1024):
            return
        await asyncio.sleep(0.1)


async def huge_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends a megabyte of headers; they are refused."""
    lines = "".join(f"X-{number}: {'a' * 1000}\r\n" for number in range(1000))
    writer.write(f"POST /soak-json HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode())
    answer = await read_answer(reader)
    assert answer.status == 431, answer


async def pipeline(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends a hundred requests without waiting; the answers come in order."""
    for number in range(100):
        writer.write(request("/soak-json", b'{"nonce": "piped"}', JSON, f"X-Request-ID: piped-{number}"))
    for number in range(100):
        answer = await read_answer(reader)
        assert answer.headers["x-request-id"] == f"piped-{number}", answer


async def smuggler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hides a request in another one's body by giving two lengths; only the refusal comes back."""
    hidden = b"0\r\n\r\nPOST /soak-json HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    head = f"POST /soak-json HTTP/1.1\r\nHost: a\r\nContent-Length: {len(hidden)}\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode() + hidden)
    answer = await read_answer(reader)
    assert answer.status == 400, answer
    assert await reader.read() == b""


async def crowd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Fifty clients ask, and leave together."""
    port: int = writer.get_extra_info("peername")[1]
    streams = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(50)))
    for _, other in streams:
        other.write(request("/soak-json", b'{"nonce": "crowd"}', JSON))
    for _, other in streams:
        other.close()


CLIENTS: list[tuple[Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], float]] = [
    (slow_head, 0),
    (slow_head, 0),
    (slow_body, 0),
    (slow_body, 0),
    (half_a_body, 1),
    (no_patience, 0.05),
    (garbage, 0.1),
    (slow_reader, 0),
    (slow_reader, 0),
    (huge_headers, 0.5),
    (pipeline, 0.5),
    (smuggler, 0.2),
    (crowd, 2),
]
"""Each with the seconds between two of its visits."""


class Hostiles:
    """All of them at once, until they are stopped."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.visits: dict[str, int] = {}
        self.surprises: dict[str, int] = {}
        """Answers to hostile clients that are not what they should be."""
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Lets them in."""
        self._tasks = [asyncio.create_task(self._visit(client, pause)) for client, pause in CLIENTS]

    async def stop(self) -> None:
        """They leave, wherever they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _visit(
        self, client: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], pause: float
    ) -> None:
        name = client.__name__
        while True:
            self.visits[name] = self.visits.get(name, 0) + 1
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
            except OSError as error:
                self._surprise(f"{name}: {error}")
                await asyncio.sleep(1)
                continue
            try:
                await client(reader, writer)
            except (AssertionError, ValueError) as error:
                self._surprise(f"{name}: {str(error)[:200]}")
            except (OSError, EOFError):
                pass  # shown out before they were done
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            await asyncio.sleep(pause)

    def _surprise(self, what: str) -> None:
        self.surprises[what] = self.surprises.get(what, 0) + 1
