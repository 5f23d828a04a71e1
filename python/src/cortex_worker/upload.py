"""Starlette's `UploadFile`, whose constructor has changed three times."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.datastructures import UploadFile


@lru_cache(maxsize=1)
def _parameters() -> tuple[str, ...]:
    from starlette.datastructures import UploadFile

    return tuple(inspect.signature(UploadFile.__init__).parameters)[1:]


def make_upload(file: IO[bytes], filename: str, headers: list[tuple[bytes, bytes]], size: int) -> UploadFile:
    """A file part, as the installed release of starlette would have made it."""
    from starlette.datastructures import Headers, UploadFile

    build: Any = UploadFile
    names = _parameters()
    given: dict[str, Any] = {"filename": filename, "file": file}
    if "headers" in names:
        given["headers"] = Headers(raw=headers)
    if "size" in names:
        given["size"] = size
    if "content_type" in names:
        given["content_type"] = next((v.decode("latin-1") for n, v in headers if n == b"content-type"), "")
    made: UploadFile = build(**given)
    return made
