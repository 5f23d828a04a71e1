"""Bytes in, the same bytes out."""

from __future__ import annotations


class PythonPredictor:
    def predict(self, payload: bytes) -> bytes:
        return payload
