"""Gets models, and times that from inside."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any


class PythonPredictor:
    """Its models are folders: what it measures is the way to them."""

    def __init__(self, config: dict[str, Any], python_client: Any) -> None:
        self.client = python_client
        self.names = config["names"]

    def load_model(self, model_path: str) -> object:
        """Nothing that takes memory or time."""
        return object()

    def predict(self, payload: dict[str, Any]) -> dict[str, list[int]]:
        """`gets` models, without a word; or the nanoseconds of a first and a second `get_model` of each."""
        if "gets" in payload:
            for name in self.names[: payload["gets"]]:
                self.client.get_model(name)
            return {}
        empty, first, again = [], [], []
        for times, call in ((empty, nothing), (first, self.client.get_model), (again, self.client.get_model)):
            for name in self.names:
                started = perf_counter_ns()
                call(name)
                times.append(perf_counter_ns() - started)
        return {"empty": empty, "first": first, "again": again}


def nothing(name: str) -> None:
    """What the measurement itself costs."""
