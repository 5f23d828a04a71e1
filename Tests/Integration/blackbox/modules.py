"""Modules of predictors that answer with one thing."""

from __future__ import annotations

from typing import Union

PLAIN = """
    class PythonPredictor:
        def __init__(self, config):
            pass

        def predict(self, payload):
            return "old"
"""


Files = dict[str, Union[str, bytes]]


def predictor(*lines: str) -> str:
    """A module whose predictions are what the last of these lines evaluates to; the others come before the class."""
    *head, last = lines
    return "\n".join(
        [
            *head,
            "class PythonPredictor:",
            "    def __init__(self, config):",
            "        pass",
            "    def predict(self, payload):",
            f"        return {last}",
            "",
        ]
    )
