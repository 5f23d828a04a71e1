"""The conversation with the server: requests in, their listings, progress and ends out."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

from cortex_storage import frames, keeping
from cortex_storage.environment import overlay
from cortex_storage.faults import StorageFault
from cortex_storage.listing import listing
from cortex_storage.objects import StoredObject, object_of
from cortex_storage.place import place
from cortex_storage.transfer import ALL_AT_ONCE, Transfer
from cortex_worker.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from cortex_storage.place import Place

_REPORT_INTERVAL = 0.25
_PLACES_KEPT = 64
# So many that a store which does not answer does not hold up the others.
_LISTINGS_AT_ONCE = 16


async def serve(socket: str, token: str, environment: Mapping[str, str]) -> None:
    """Connect, and answer until the server closes the connection.

    Raises:
        OSError: where there is no server.
    """
    reader, writer = await asyncio.open_unix_connection(socket)
    writer.write(frames.hello(token))
    agent = Agent(writer, environment)
    while True:
        received = await frames.read(reader)
        if received is None:
            return
        agent.received(received)


class Agent:
    """What is under way for the server."""

    def __init__(self, writer: asyncio.StreamWriter, environment: Mapping[str, str]) -> None:
        self._writer = writer
        self._environment = environment
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._parts: dict[int, list[StoredObject]] = {}
        self._places: dict[tuple[str, frozenset[tuple[str, str]]], Place] = {}
        self._gate = asyncio.Semaphore(ALL_AT_ONCE)
        self._listings = asyncio.Semaphore(_LISTINGS_AT_ONCE)

    def received(self, frame: frames.Received) -> None:
        """Act on a frame.

        Raises:
            ProtocolError: it is none of the server's.
        """
        if frame.kind == frames.ABORT:
            if frame.number in self._tasks:
                self._tasks[frame.number].cancel()
            return
        body: dict[str, Any] = json.loads(frame.body)
        if frame.kind == frames.LIST:
            self._begin(frame.number, lambda: self._list(frame.number, body))
        elif frame.kind == frames.FETCH:
            objects = self._parts.setdefault(frame.number, [])
            objects += [object_of(entry) for entry in body["objects"]]
            if not frame.flags & frames.MORE_FOLLOWS:
                del self._parts[frame.number]
                self._begin(frame.number, lambda: self._fetch(frame.number, body, objects))
        elif frame.kind == frames.PUT:
            self._begin(frame.number, lambda: self._put(body))
        elif frame.kind == frames.FIND:
            self._begin(frame.number, lambda: self._find(frame.number, body))
        elif frame.kind == frames.REMOVE:
            self._begin(frame.number, lambda: self._at(body, lambda root: keeping.remove(root, body["paths"])))
        else:
            raise ProtocolError(f"frame of kind {frame.kind:#x}")

    def _begin(self, number: int, work: Callable[[], Awaitable[None]]) -> None:
        self._tasks[number] = asyncio.ensure_future(self._run(number, work))

    async def _run(self, number: int, work: Callable[[], Awaitable[None]]) -> None:
        """Carry out a request; whatever happens, the server hears of its end."""
        try:
            await work()
            end = frames.done(number)
        except asyncio.CancelledError:
            end = frames.fault(number, "cancelled", "the transfer was cancelled")
        except StorageFault as fault:
            end = frames.fault(number, fault.kind, fault.message)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            end = frames.fault(number, "failed", f"the storage agent failed: {type(error).__name__}")
        del self._tasks[number]
        self._writer.write(end)

    async def _list(self, number: int, body: dict[str, Any]) -> None:
        async with self._listings:
            found = await self._at(body, lambda root: listing(root, int(body["limit"])))
        for page in frames.pages(number, [entry.entry() for entry in found]):
            self._writer.write(page)
            await self._writer.drain()

    async def _fetch(self, number: int, body: dict[str, Any], objects: list[StoredObject]) -> None:
        last = -_REPORT_INTERVAL

        def report(count: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _REPORT_INTERVAL:
                last = time.monotonic()
                self._writer.write(frames.progress(number, count))

        def transfer(root: Place) -> Awaitable[None]:
            return Transfer(root, objects, body["prefix"], body["folder"], self._gate, report).run()

        await self._at(body, transfer)

    async def _put(self, body: dict[str, Any]) -> None:
        async with self._gate:
            await self._at(body, lambda root: keeping.put(root, body["path"], body["file"]))

    async def _find(self, number: int, body: dict[str, Any]) -> None:
        found = await self._at(body, lambda root: keeping.find(root, body["path"]))
        if found is not None:
            for page in frames.pages(number, [found.entry()]):
                self._writer.write(page)

    async def _at(self, body: dict[str, Any], work: Callable[[Place], Awaitable[Any]]) -> Any:
        """Work at the place that a request names; its connections and credentials are kept for the next."""
        key = (body["url"], frozenset(body["options"].items()))
        if key not in self._places:
            root = await place(body["url"], overlay(self._environment, body["options"]))
            self._places.setdefault(key, root)
        root = self._places[key] = self._places.pop(key)
        while len(self._places) > _PLACES_KEPT:
            del self._places[next(iter(self._places))]
        try:
            return await work(root)
        except StorageFault as fault:
            if fault.kind == "denied":
                # The next request reads the credentials again: they may have been put right.
                self._places.pop(key, None)
            raise
