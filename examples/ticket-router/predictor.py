"""Guesses the language of a text by its most common words. Needs nothing but Python."""

from __future__ import annotations

from typing import Any

WORDS = {
    "de": {"der", "die", "das", "und", "ist", "nicht", "ich", "ein", "mein", "zu"},
    "en": {"the", "and", "is", "not", "i", "a", "my", "to", "of", "it"},
    "fr": {"le", "la", "les", "et", "est", "pas", "je", "un", "mon", "de"},
}


class PythonPredictor:
    def __init__(self, config: dict[str, Any]) -> None:
        pass

    def predict(self, payload: dict[str, str]) -> dict[str, Any]:
        words = payload["text"].lower().split()
        counts = {language: sum(word in known for word in words) for language, known in WORDS.items()}
        language, count = max(counts.items(), key=lambda item: item[1])
        return {"language": language, "share": round(count / max(1, len(words)), 2)}
