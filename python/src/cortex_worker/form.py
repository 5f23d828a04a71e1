"""Form bodies as starlette's `FormData`, read without an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from cortex_worker.errors import MalformedPayload
from cortex_worker.multipart import PartReader, parse_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.datastructures import FormData


def read_urlencoded(body: bytes, limit: int) -> FormData:
    """The fields of `application/x-www-form-urlencoded`: a bad escape stays as it is, a bare key has the value ""."""
    from starlette.datastructures import FormData

    try:
        # Every key and value in UTF-8; what is not becomes U+FFFD, as browsers do.
        fields: list[tuple[str, Any]] = list(
            parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=limit)
        )
    except ValueError as error:
        reason = f"{error}: more than {limit}; CORTEX_MAX_FORM_PARTS sets the limit"
        raise MalformedPayload("MALFORMED_FORM", reason) from None
    return FormData(fields)


def read_multipart(chunks: Iterable[bytes], content_type: str, limit: int, spool_directory: str) -> FormData:
    """The parts of `multipart/form-data`: text as `str`, files as `UploadFile`."""
    from starlette.datastructures import FormData

    _, options = parse_options(content_type)
    boundary = options.get("boundary", "")
    if not boundary:
        raise MalformedPayload("MALFORMED_FORM", "Missing boundary in multipart.")
    try:
        reader = PartReader(boundary.encode("latin-1"), limit, spool_directory)
        for chunk in chunks:
            reader.feed(chunk)
        return FormData(reader.finish())
    except ValueError as error:
        raise MalformedPayload("MALFORMED_FORM", str(error)) from None
