"""Any `starlette.responses.Response`, answered without an event loop where that is possible."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from cortex_worker import asgi, inline, streaming
from cortex_worker.errors import UnusableResult

if TYPE_CHECKING:
    from cortex_worker.exchange import Exchange

_SET_BY_SERVER = (b"content-length", b"transfer-encoding")


def is_response(result: Any) -> bool:
    """Whether `result` is a `Response`. Starlette is not imported for this: who made one has done so."""
    module: Any = sys.modules.get("starlette.responses")
    return module is not None and isinstance(result, module.Response)


def deliver(exchange: Exchange, response: Any) -> Any:
    """Answer with `response`. Returns its background task, which is still to be run, or None."""
    stock: Any = sys.modules["starlette.responses"]
    inline.install()
    background = getattr(response, "background", None)
    exchange.more = exchange.more or background is not None
    kind = type(response)
    call = kind.__call__
    if call is stock.Response.__call__:
        exchange.answer(status_of(response.status_code), bytes(response.body), headers=headers_of(response.raw_headers))
    elif call is stock.StreamingResponse.__call__ and _streams_as_stock(kind, stock):
        exchange.open_stream(status_of(response.status_code), headers_of(response.raw_headers))
        streaming.stream(exchange, response.body_iterator, response.charset)
    elif call is stock.FileResponse.__call__:
        _deliver_file(exchange, response)
    else:
        # A class with a way of its own to answer: it is called as an ASGI server would.
        response.background = None
        asgi.deliver(exchange, response)
    return background


def _streams_as_stock(kind: Any, stock: Any) -> bool:
    # `getattr`, since the oldest releases have everything in `__call__`.
    return getattr(kind, "stream_response", None) is getattr(stock.StreamingResponse, "stream_response", None)


def _deliver_file(exchange: Exchange, response: Any) -> None:
    path = os.path.abspath(response.path)
    if response.stat_result is None:
        try:
            response.set_stat_headers(os.stat(path))
        except OSError as error:
            raise UnusableResult(f"FileResponse: the file cannot be sent: {error.strerror}") from None
    if not os.path.isfile(path):
        raise UnusableResult("FileResponse: the path is not a regular file")
    if not os.access(path, os.R_OK):
        raise UnusableResult("FileResponse: the file cannot be read")
    exchange.answer_with_file(status_of(response.status_code), path, headers_of(response.raw_headers))


def status_of(status: Any) -> int:
    """The status of a response, if it is one that can end an exchange."""
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise UnusableResult(f"the response has the status {status!r}; allowed: 200 to 599")
    return int(status)


def headers_of(raw: Any) -> list[tuple[bytes, bytes]]:
    """The headers to send: all but those that the server sets, duplicates kept in order."""
    headers: list[tuple[bytes, bytes]] = []
    for name, value in raw:
        if name.lower() in _SET_BY_SERVER:
            continue
        if any(byte in value or byte in name for byte in (b"\r", b"\n", b"\0")):
            raise UnusableResult(f"the response's header {name!r} holds a line break or a zero byte")
        headers.append((bytes(name), bytes(value)))
    return headers
