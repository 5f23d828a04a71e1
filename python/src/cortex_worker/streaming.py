"""Streamed answers: chunk by chunk, with the socket as the brake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cortex_worker import loop
from cortex_worker.errors import ConnectionLost
from cortex_worker.inline import InlineIterator

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Iterable

    from cortex_worker.exchange import Exchange


def stream(exchange: Exchange, source: Any, charset: str) -> None:
    """Send what `source` yields until it ends, raises, or nobody wants it any more."""
    try:
        if isinstance(source, InlineIterator):
            whole = _send_all(exchange, source.source, charset)
        elif hasattr(source, "__aiter__"):
            whole = _send_all_async(exchange, source, charset)
        else:
            whole = _send_all(exchange, source, charset)
    except ConnectionLost:
        raise
    except BaseException as error:
        exchange.fail(error)
        return
    exchange.end_stream(broken=not whole)


def _send_all(exchange: Exchange, source: Iterable[Any], charset: str) -> bool:
    iterator = iter(source)
    try:
        for chunk in iterator:
            exchange.chunk(_to_bytes(chunk, charset))
            if exchange.cancelled:
                return False
        return True
    finally:
        # Left midway, a generator runs its `finally` now and not at some later collection.
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


def _send_all_async(exchange: Exchange, source: AsyncIterator[Any], charset: str) -> bool:
    async def send_all() -> bool:
        try:
            async for chunk in source:
                exchange.chunk(_to_bytes(chunk, charset))
                if exchange.cancelled:
                    return False
            return True
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()

    def started(task: asyncio.Task[Any]) -> None:
        # A stream that waits for an event would else hold its slot until the event comes.
        running = task.get_loop()
        exchange.cancellations.watch(exchange.number, lambda: running.call_soon_threadsafe(task.cancel))

    import asyncio

    try:
        return bool(loop.run(send_all(), started))
    except asyncio.CancelledError:
        if exchange.cancelled:
            return False
        raise
    finally:
        exchange.cancellations.unwatch(exchange.number)


def _to_bytes(chunk: Any, charset: str) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, str):
        return chunk.encode(charset)
    return bytes(memoryview(chunk))
