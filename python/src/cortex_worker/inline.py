"""Let a synchronous `StreamingResponse` be read in the predictor's own thread."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable


class InlineIterator:
    """Stands where starlette puts an iterator over a thread pool, and still knows the user's own.

    The slot iterates over `source` without a loop; anybody else who reads it with `async for` gets what starlette
    would have given.
    """

    def __init__(self, source: Iterable[Any], in_threadpool: Callable[[Iterable[Any]], AsyncIterator[Any]]) -> None:
        self.source = source
        self._in_threadpool = in_threadpool

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._in_threadpool(self.source)


def install() -> None:
    """Have starlette's responses make `InlineIterator`s, if user code has imported them; again is harmless."""
    responses: Any = sys.modules.get("starlette.responses")
    original = getattr(responses, "iterate_in_threadpool", None)
    if original is None or getattr(original, "is_inline", False):
        return

    def iterate_inline(iterator: Iterable[Any]) -> InlineIterator:
        return InlineIterator(iterator, original)

    iterate_inline.is_inline = True  # type: ignore[attr-defined]
    responses.iterate_in_threadpool = iterate_inline
