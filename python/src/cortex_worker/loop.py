"""A private event loop per thread, for what really is asynchronous in a predictor."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable


class _Loops(threading.local):
    loop: asyncio.AbstractEventLoop | None = None


_loops = _Loops()


def run(awaitable: Awaitable[Any], started: Callable[[asyncio.Task[Any]], None] | None = None) -> Any:
    """Wait for `awaitable` on this thread's own loop, which lives as long as the thread.

    A coroutine is never driven by hand: it would find no running loop, nor a current task.
    """
    if _loops.loop is None:
        # Only here: most predictors need none of it, and it takes a third of the worker's own start.
        import asyncio

        _loops.loop = asyncio.new_event_loop()
    task = _loops.loop.create_task(_wait(awaitable))
    if started is not None:
        started(task)
    return _loops.loop.run_until_complete(task)


async def _wait(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
