"""What `predict` returned, as the bytes of an answer."""

from __future__ import annotations

import inspect
import json
from typing import Any

from cortex_worker.errors import UnusableResult
from cortex_worker.text import encode_text
from cortex_worker.wire import CONTENT_BYTES, CONTENT_JSON, CONTENT_TEXT

# Python's own JSON, with its defaults: an answer must not depend on an installed package.
_encode_json = json.JSONEncoder().encode

_ALLOWED = "return a JSON-able object, str, bytes or a starlette Response"


def encode(result: Any) -> tuple[int, bytes]:
    """The kind of content and the body of a result that is no `Response`. Raises `UnusableResult`."""
    if isinstance(result, bytes):
        return CONTENT_BYTES, result
    if isinstance(result, str):
        return CONTENT_TEXT, encode_text(result)
    try:
        return CONTENT_JSON, _encode_json(result).encode()
    except RecursionError:
        raise UnusableResult("the result is nested too deeply to be written as JSON", _ALLOWED) from None
    except (TypeError, ValueError) as error:
        raise UnusableResult(f"{_describe(result)}: {error}", _hint(result)) from None


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
