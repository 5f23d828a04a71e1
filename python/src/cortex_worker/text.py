"""Text of the user's, as bytes that anybody can read."""

from __future__ import annotations


def encode_text(text: str) -> bytes:
    """UTF-8. Surrogates, which it cannot hold, are joined to the character they mean, or become U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
