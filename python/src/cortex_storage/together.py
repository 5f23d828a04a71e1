"""Several things at once, of which the first failure ends all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

_Item = TypeVar("_Item")


async def each(items: Iterable[_Item], work: Callable[[_Item], Awaitable[None]], at_once: int) -> None:
    """Do the work for each item, `at_once` of them at a time. After a failure nothing of it runs any more."""
    rest = iter(items)

    async def pull() -> None:
        for item in rest:
            await work(item)

    tasks = [asyncio.ensure_future(pull()) for _ in range(at_once)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
