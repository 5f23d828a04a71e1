"""Runs one of many models."""

from __future__ import annotations

import os
from typing import Any

import numpy as np


class ONNXPredictor:
    """All models have the same input."""

    def __init__(self, onnx_client: Any, config: dict[str, Any]) -> None:
        self.client = onnx_client
        self.input = np.ones((config["rows"], config["width"]), dtype=np.float32)

    def predict(self, payload: dict[str, str]) -> dict[str, int]:
        """Runs the model that is named; tells the process for whoever wants to look at it."""
        self.client.predict(self.input, payload["model"])
        return {"pid": os.getpid()}
