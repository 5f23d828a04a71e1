"""Responses that answer in a way of their own: called as an ASGI server calls them, on a private loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cortex_worker import loop
from cortex_worker.errors import ConnectionLost, UnusableResult

if TYPE_CHECKING:
    import asyncio

    from cortex_worker.exchange import Exchange

_SCOPE = {
    "type": "http",
    # From 2.4 on, a server's `send` raises OSError once the client is gone, and starlette needs no listener for it.
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "http_version": "1.1",
    "method": "POST",
    "scheme": "http",
    "path": "/",
    "raw_path": b"/",
    "root_path": "",
    "query_string": b"",
}

# What a response may do between hearing that its client is gone and being cancelled.
_GRACE_SECONDS = 1.0


def deliver(exchange: Exchange, response: Any) -> None:
    """Answer with what `response` sends."""
    import asyncio

    call = _Call(exchange, asyncio)
    try:
        loop.run(call.run(response), call.started)
    except ConnectionLost:
        raise
    except BaseException as error:
        if call.lost is not None:
            raise call.lost from None
        if call.finished:
            # The client has its whole answer; what the response did after it is like a background task.
            exchange.log_error(error)
        elif exchange.cancelled and call.begun:
            exchange.end_stream(broken=True)
        else:
            exchange.fail(error)
    else:
        if call.lost is not None:
            raise call.lost
        call.end()
    finally:
        exchange.cancellations.unwatch(exchange.number)


class _Call:
    """One call of a response, and the messages it sends."""

    def __init__(self, exchange: Exchange, asyncio_module: Any) -> None:
        self.finished = False
        self.lost: ConnectionLost | None = None
        self._exchange = exchange
        self._asyncio = asyncio_module
        self._start: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._body_read = False
        self._gone: Any = None

    @property
    def begun(self) -> bool:
        return self._start is not None

    def started(self, task: asyncio.Task[Any]) -> None:
        running = task.get_loop()

        def hang_up() -> None:
            if self._gone is not None:
                self._gone.set()
            running.call_later(_GRACE_SECONDS, task.cancel)

        self._exchange.cancellations.watch(self._exchange.number, lambda: running.call_soon_threadsafe(hang_up))

    async def run(self, response: Any) -> None:
        self._gone = self._asyncio.Event()
        if self._exchange.cancelled:
            self._gone.set()
        await response({**_SCOPE, "headers": [], "extensions": {}}, self.receive, self.send)

    async def receive(self) -> dict[str, Any]:
        if not self._body_read:
            self._body_read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        from cortex_worker.responses import headers_of, status_of

        exchange = self._exchange
        if message["type"] == "http.response.start":
            self._start = (status_of(message["status"]), headers_of(message.get("headers", ())))
            exchange.open_stream(*self._start)
            return
        if message["type"] != "http.response.body" or self._start is None or self.finished:
            raise RuntimeError(f"the response sent {message['type']!r} where it is not allowed")
        if exchange.cancelled and exchange.answered:
            raise OSError("the client has left")
        body = bytes(message.get("body", b""))
        try:
            if message.get("more_body", False):
                exchange.chunk(body)
            elif exchange.answered:
                if body:
                    exchange.chunk(body)
                self._finish()
            else:
                exchange.more = self.finished = True
                status, headers = self._start
                exchange.answer(status, body, headers=headers)
        except ConnectionLost as error:
            # Whatever the response makes of it, the slot must know.
            self.lost = error
            raise OSError("the connection is gone") from None

    def end(self) -> None:
        """The response has returned."""
        if self._start is None:
            raise UnusableResult("the response returned without sending anything")
        if not self.finished:
            self._exchange.end_stream(broken=True)

    def _finish(self) -> None:
        # The response may go on after its last byte: the server is told when it is done.
        self.finished = True
        self._exchange.more = True
        self._exchange.end_stream(broken=False)
