"""Frames: the head, the fixed parts, and how they are packed. The text is `docs/wire-protocol.md`."""

from __future__ import annotations

import json
from struct import Struct
from typing import Any, NamedTuple

from cortex_worker.text import encode_text

PROTOCOL_VERSION = 1
MAXIMUM_LENGTH = 16 << 20

REQUEST, TAKEN = 0x01, 0x02
HELLO, ANSWER, HEAD, CHUNK, END, FAILURE, IDLE, SKIPPED = 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17
READY, FAILED, LOG, ENSURE, MODEL, COUNTED, MISSING, METRICS = 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27
WELCOME, CANCEL, DRAIN, MODELS, ENSURED, COUNT = 0x30, 0x31, 0x32, 0x33, 0x34, 0x35

BODY_IS_PATH = 1
MORE_FOLLOWS, WORKER_ENDS = 1, 2
SKIPPED_DEADLINE, SKIPPED_CANCELLED = 1, 2
CONTENT_GIVEN, CONTENT_JSON, CONTENT_TEXT, CONTENT_BYTES = 0, 1, 2, 3
LOG_LEVELS = {"info": 0, "warning": 1, "error": 2}
LOG_STREAMS = {"worker": 0, "stdout": 1, "stderr": 2}
FORM_INLINE, FORM_FILE, FORM_SPOOL = 0, 1, 2

FRAME_HEAD = Struct("<IBBHQ")
REQUEST_PART = Struct("<QIHHI")
ANSWER_PART = Struct("<IBBH")
# The head and the fixed part of an answer in one go: this is packed once per request.
ANSWER_HEAD = Struct("<IBBHQIBBH")
HEADER_PART = Struct("<HI")
MICROSECONDS = Struct("<I")
_ANSWER_PART_SIZE = ANSWER_PART.size
LOG_PART = Struct("<H")


class Frame(NamedTuple):
    """One frame as it came. `body` may be a view of the reader's buffer: valid until the next frame is read."""

    kind: int
    flags: int
    code: int
    number: int
    body: memoryview
    #: Of a large request: its body, which then is not in `body`.
    payload: bytes | None = None


def frame(kind: int, number: int = 0, body: bytes = b"", code: int = 0, flags: int = 0) -> bytes:
    """A whole frame."""
    return FRAME_HEAD.pack(len(body), kind, flags, code, number) + body


def _json(value: Any) -> bytes:
    """JSON that any parser takes: half of a surrogate pair, which Python's text may hold, is refused by strict ones."""
    return encode_text(json.dumps(value, ensure_ascii=False))


def json_frame(kind: int, value: Any, number: int = 0) -> bytes:
    """A frame of a connection's own, whose body is JSON."""
    return frame(kind, number, _json(value))


def microseconds(nanoseconds: int) -> int:
    """A duration as the frames carry it; what does not fit (over 71 minutes) is cut."""
    return min(nanoseconds // 1000, 0xFFFF_FFFF)


def pack_headers(headers: list[tuple[bytes, bytes]]) -> bytes:
    """The headers of an answer, as they follow its fixed part."""
    return b"".join([HEADER_PART.pack(len(name), len(value)) + name + value for name, value in headers])


def answer(
    kind: int,
    number: int,
    status: int,
    taken: int,
    body: bytes,
    content: int = CONTENT_GIVEN,
    form: int = FORM_INLINE,
    headers: list[tuple[bytes, bytes]] | None = None,
    flags: int = 0,
    following: int = 0,
) -> bytes:
    """An `ANSWER` or `HEAD` frame. `taken` is the time of `predict` in nanoseconds.

    `following` bytes of the body come after what is returned.
    """
    taken = microseconds(taken)
    if not headers:
        length = _ANSWER_PART_SIZE + len(body) + following
        return ANSWER_HEAD.pack(length, kind, flags, status, number, taken, content, form, 0) + body
    packed = pack_headers(headers)
    length = _ANSWER_PART_SIZE + len(packed) + len(body) + following
    return ANSWER_HEAD.pack(length, kind, flags, status, number, taken, content, form, len(headers)) + packed + body


def end(number: int, taken: int, broken: bool, flags: int) -> bytes:
    """The frame that ends a streamed answer."""
    return frame(END, number, MICROSECONDS.pack(microseconds(taken)), 1 if broken else 0, flags)


def failure(number: int, status: int, taken: int, report: dict[str, Any], flags: int = 0) -> bytes:
    """The frame of an answer that is an error."""
    body = MICROSECONDS.pack(microseconds(taken)) + _json(report)
    return frame(FAILURE, number, body, status, flags)
