"""How deeply a JSON text is nested, found without recursion."""

from __future__ import annotations

import re
from itertools import accumulate

from cortex_worker.errors import MalformedPayload

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)

# Opening brackets become 1 and closing ones -1 (as signed bytes); everything else is dropped.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_OTHERS = bytes(byte for byte in range(256) if byte not in b"[{]}")


def check_nesting(text: str, limit: int) -> None:
    """Raise `MalformedPayload` with the place where `text` is nested more than `limit` deep.

    All work per character is done in C: a parser that recurses must not see such a text, and a large flat text must
    not be slowed down by the check.
    """
    brackets = _STRING.sub("", text).encode("utf-8", "replace").translate(_STEPS, _OTHERS)
    if max(accumulate(memoryview(brackets).cast("b")), default=0) <= limit:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        character = token.group()
        if character in "[{":
            depth += 1
            if depth > limit:
                raise MalformedPayload("MALFORMED_JSON", _message(text, token.start(), limit))
        elif character in "]}":
            depth -= 1


def _message(text: str, position: int, limit: int) -> str:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    place = f"line {line} column {column} (char {position})"
    return f"Nested more than {limit} levels deep: {place}; CORTEX_MAX_JSON_DEPTH sets the limit"
