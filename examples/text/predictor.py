"""Says what a text is about, and how long it takes to read. Needs nothing but Python."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

DULL_WORDS = frozenset(
    """
    a about after all also an any and are as at be been but by can could did do does for from had has have he her his
    how i if in into is it its just like more most my no not of on one only or other our out over she so some such
    than that the their them then there these they this those to too up us very was we were what when where which
    while who will with would you your
    """.split()
)


class PythonPredictor:
    def __init__(self, config: dict[str, Any]) -> None:
        self.words_per_minute = config["words_per_minute"]

    def predict(self, payload: Any, query_params: Any, headers: Any) -> Any:
        """The form has a field `text`, or a file of that name; `?top=3` bounds the keywords.

        A client that prefers `text/plain` gets a sentence, any other gets JSON.
        """
        words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", self.text_of(payload).lower())
        counts = Counter(word for word in words if word not in DULL_WORDS)
        # Equal counts in the order of the alphabet, so that one text has one answer.
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        keywords = [word for word, _ in ranked[: self.bound(query_params.get("top", "5"))]]
        seconds = round(60 * len(words) / self.words_per_minute)
        if "text/plain" in headers.get("accept", ""):
            return f"{len(words)} words, {seconds} s to read: {', '.join(keywords)}\n"
        return {"words": len(words), "seconds_to_read": seconds, "keywords": keywords}

    def text_of(self, payload: Any) -> str:
        """The text, whether it was typed into the form or uploaded."""
        field = payload.get("text") if isinstance(payload, FormData) else None
        if isinstance(field, UploadFile):
            return field.file.read().decode("utf-8", "replace")
        if isinstance(field, str):
            return field
        raise HTTPException(422, "send a form with a field or a file named text")

    def bound(self, top: str) -> int:
        """The number of keywords to give."""
        if not top.isdecimal() or int(top) > 100:
            raise HTTPException(422, f"top is {top}, allowed 0 to 100")
        return int(top)
