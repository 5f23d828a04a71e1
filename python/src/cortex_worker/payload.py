"""From the body of a request to the `payload` that `predict` gets."""

from __future__ import annotations

import codecs
import json
from typing import IO, Any

from cortex_worker.errors import MalformedPayload
from cortex_worker.nesting import check_nesting

NONE, JSON, URLENCODED, MULTIPART, BYTES = 0, 1, 2, 3, 4

_decoder: Any = json.JSONDecoder()
_decode = _decoder.decode
_scan = _decoder.scan_once

_MARK = "\ufeff"
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_OTHER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class PayloadReader:
    """Reads payloads within the limits that the server has set."""

    def __init__(self, json_depth_limit: int, form_part_limit: int, spool_directory: str) -> None:
        self._depth_limit = json_depth_limit
        self._part_limit = form_part_limit
        self._spool_directory = spool_directory

    def read(self, kind: int, body: memoryview | bytes, content_type: str) -> Any:
        """The payload of a body that came inline. Raises `MalformedPayload`."""
        if kind == JSON:
            return self.parse_json(body)
        if kind == BYTES:
            return bytes(body)
        if kind == NONE:
            return None
        from cortex_worker.form import read_multipart, read_urlencoded

        if kind == URLENCODED:
            return read_urlencoded(bytes(body), self._part_limit)
        return read_multipart([bytes(body)], content_type, self._part_limit, self._spool_directory)

    def read_file(self, kind: int, file: IO[bytes], content_type: str) -> Any:
        """The payload of a body that came in a spool file. Raises `MalformedPayload`."""
        if kind != MULTIPART:
            return self.read(kind, file.read(), content_type)
        from cortex_worker.form import read_multipart

        chunks = iter(lambda: file.read(256 << 10), b"")
        return read_multipart(chunks, content_type, self._part_limit, self._spool_directory)

    def parse_json(self, body: memoryview | bytes) -> Any:
        """The value of a JSON text in UTF-8, with or without a byte order mark."""
        try:
            text = str(body, "utf-8")
            limit = self._depth_limit
            if len(text) > limit and text.count("[") + text.count("{") > limit:
                check_nesting(text.removeprefix(_MARK), limit)
            # The usual case, without the whitespace of `decode`; what this cannot take, `decode` says why.
            try:
                value, end = _scan(text, 0)
            except StopIteration:
                return _decode(text.removeprefix(_MARK))
            return value if end == len(text) else _decode(text)
        except RecursionError:
            raise MalformedPayload("MALFORMED_JSON", "nested deeper than Python's recursion limit allows") from None
        except ValueError as error:
            # JSONDecodeError, UnicodeDecodeError, and integers beyond Python's limit of digits.
            raise MalformedPayload("MALFORMED_JSON", str(error) + _other_encoding(bytes(body[:4]))) from None


def _other_encoding(start: bytes) -> str:
    """What the first bytes of a text that is no UTF-8 say of its encoding."""
    for mark, name in _OTHER_MARKS:
        if start.startswith(mark):
            return f"; the body begins with the byte order mark of {name}: send JSON as UTF-8"
    return ""
