"""Which request this thread, or this asynchronous task, works on."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from threading import get_ident
from typing import Callable

#: Names and values of headers.
Trace = Sequence[Sequence[str]]
#: Its id; when its time is up, in nanoseconds of the monotonic clock (0: never); how many APIs it has passed; the
#: headers of the trace that it belongs to.
Request = tuple[str, int, int, Trace]


class CurrentRequest:
    """The request that this thread, or this asynchronous task, works on.

    A task keeps the request that began it, and so does what it hands to `asyncio.to_thread` (and to anyio's and
    starlette's thread pools). Threads that user code starts by itself have none: they may outlive the request.
    """

    def __init__(self) -> None:
        self._request: ContextVar[Request | None] = ContextVar("cortex_request", default=None)
        #: Called by each slot for each request.
        self.set: Callable[[Request | None], object] = self._request.set
        self._chained: dict[int, int] = {}

    @property
    def request(self) -> Request | None:
        return self._request.get()

    @property
    def request_id(self) -> str | None:
        request = self._request.get()
        return None if request is None else request[0]

    @property
    def hops(self) -> int:
        """How many APIs have been passed; where there is no request, the most that one of this process has passed.

        A thread of the user's own most likely works for one of those: a loop that leads through it is cut too.
        """
        request = self._request.get()
        return max(list(self._chained.values()), default=0) if request is None else request[2]

    def begin_chained(self, hops: int) -> None:
        """This thread's request has come from another API."""
        self._chained[get_ident()] = hops

    def end_chained(self) -> None:
        """This thread's request, which came from another API, is done."""
        self._chained.pop(get_ident(), None)

    def begin_traced(self, headers: Trace) -> None:
        """This request belongs to a trace: calls that are made for it belong to it too."""
        request = self._request.get()
        if request is not None:
            self.set((*request[:3], headers))

    def answered(self) -> None:
        """The answer has gone: what follows has no deadline any more."""
        request = self._request.get()
        if request is not None:
            self.set((request[0], 0, *request[2:]))
