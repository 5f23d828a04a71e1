"""What `predict` returned, as the bytes of an answer."""

from __future__ import annotations

import inspect
import json
import json.encoder
from typing import Any

from cortex_worker.errors import UnusableResult
from cortex_worker.text import encode_text
from cortex_worker.wire import CONTENT_BYTES, CONTENT_JSON, CONTENT_TEXT

# Python's own JSON, with its defaults: an answer must not depend on an installed package.
_encoder = json.JSONEncoder()
# What `JSONEncoder.encode` makes anew for each call, which takes longer than a small result does; None where Python has
# it not. It does not look for circles.
_make: Any = getattr(json.encoder, "c_make_encoder", None)
_escape = json.encoder.encode_basestring_ascii
_encode_parts = _make and _make(None, _encoder.default, _escape, None, ": ", ", ", False, False, True)

_ALLOWED = "return a JSON-able object, str, bytes or a starlette Response"


def encode(result: Any) -> tuple[int, bytes]:
    """The kind of content and the body of a result that is no `Response`. Raises `UnusableResult`."""
    if isinstance(result, bytes):
        return CONTENT_BYTES, result
    if isinstance(result, str):
        return CONTENT_TEXT, encode_text(result)
    try:
        return CONTENT_JSON, _to_json(result).encode()
    except RecursionError:
        raise UnusableResult("the result is nested too deeply to be written as JSON", _ALLOWED) from None
    except (TypeError, ValueError) as error:
        raise UnusableResult(f"{_describe(result)}: {error}", _hint(result)) from None


def _to_json(result: Any) -> str:
    if _encode_parts is not None:
        try:
            return "".join(_encode_parts(result, 0))
        except (RecursionError, TypeError, ValueError):
            pass  # `encode` says why.
    return _encoder.encode(result)


def _describe(result: Any) -> str:
    kind = type(result)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"predict returned {name}, which is not JSON-able"


def _hint(result: Any) -> str:
    if inspect.isgenerator(result) or inspect.isasyncgen(result):
        return "to stream, return starlette.responses.StreamingResponse(generator)"
    if hasattr(result, "tolist"):
        return "call .tolist() on it"
    return _ALLOWED
