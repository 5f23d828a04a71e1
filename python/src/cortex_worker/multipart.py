"""The parts of a multipart body, on the callbacks of python-multipart (any release, under either of its names)."""

from __future__ import annotations

import importlib
import re
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, Union, cast
from urllib.parse import unquote

from cortex_worker.upload import make_upload

if TYPE_CHECKING:
    from starlette.datastructures import UploadFile

    Item = tuple[str, Union[str, UploadFile]]

# Files are kept in memory up to this size, as starlette does.
_SPOOL_SIZE = 1 << 20
_HEADERS_LIMIT = 16 << 10

_OPTION = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')


def parse_options(value: str) -> tuple[str, dict[str, str]]:
    """A header such as `form-data; name="a"`: what is before the first `;`, and the options by lower-case name."""
    options: dict[str, str] = {}
    for match in _OPTION.finditer(value):
        key, text = match.group(1).lower(), match.group(2).strip()
        if len(text) > 1 and text.startswith('"') and text.endswith('"'):
            text = _ESCAPE.sub(r"\1", text[1:-1])
        options[key] = text
    return value.split(";", 1)[0].strip().lower(), options


def _parser_class() -> Any:
    try:
        module: Any = importlib.import_module("python_multipart.multipart")
    except ImportError:
        module = importlib.import_module("multipart.multipart")
    return module.MultipartParser


class PartReader:
    """Collects the parts of one body. Every method raises `ValueError` where the body is not what it should be."""

    def __init__(self, boundary: bytes, limit: int, spool_directory: str) -> None:
        self._items: list[Item] = []
        self._limit = limit
        self._spool_directory = spool_directory
        self._ended = False
        self._field = bytearray()
        self._value = bytearray()
        self._headers: list[tuple[bytes, bytes]] = []
        self._headers_size = 0
        self._name = ""
        self._text = bytearray()
        self._file: SpooledTemporaryFile[bytes] | None = None
        self._filename = ""
        self._parser = _parser_class()(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header(self._field, data, start, end),
                "on_header_value": lambda data, start, end: self._header(self._value, data, start, end),
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes of the body."""
        self._parser.write(chunk)

    def finish(self) -> list[Item]:
        """All parts, once the last byte was fed."""
        self._parser.finalize()
        if not self._ended:
            raise ValueError("The multipart body ends before its closing boundary.")
        return self._items

    def _begin(self) -> None:
        if len(self._items) >= self._limit:
            raise ValueError(f"Too many parts: more than {self._limit}; CORTEX_MAX_FORM_PARTS sets the limit.")
        self._headers = []
        self._headers_size = 0
        self._text = bytearray()
        self._file = None

    def _header(self, target: bytearray, data: bytes, start: int, end: int) -> None:
        self._headers_size += end - start
        if self._headers_size > _HEADERS_LIMIT:
            raise ValueError(f"The headers of a part are longer than {_HEADERS_LIMIT} bytes.")
        target += data[start:end]

    def _header_end(self) -> None:
        self._headers.append((bytes(self._field).lower(), bytes(self._value)))
        self._field.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        disposition = next((value for name, value in self._headers if name == b"content-disposition"), b"")
        _, options = parse_options(_decode(disposition))
        if "name" not in options:
            raise ValueError('The Content-Disposition header field "name" must be provided.')
        # Browsers write %22 for a quote in a name; the parameter with a star is what urllib3 sends beyond ASCII.
        self._name = options["name"].replace("%22", '"')
        filename = options.get("filename")
        if filename is None and "filename*" in options:
            filename = unquote(options["filename*"].rpartition("''")[2])
        if filename is not None:
            self._filename = filename.replace("%22", '"')
            # Closed by whoever holds it last: the user may keep an upload beyond the request.
            self._file = SpooledTemporaryFile(max_size=_SPOOL_SIZE, dir=self._spool_directory)  # noqa: SIM115

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._text += data[start:end]
        else:
            self._file.write(data[start:end])

    def _end(self) -> None:
        if self._file is None:
            self._items.append((self._name, _decode(self._text)))
            return
        size = self._file.tell()
        self._file.seek(0)
        upload = make_upload(cast("Any", self._file), self._filename, self._headers, size)
        self._items.append((self._name, upload))

    def _finish(self) -> None:
        self._ended = True


def _decode(text: bytes | bytearray) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")
