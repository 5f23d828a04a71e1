"""Turns what a sensor shows into degrees, by the model of that sensor."""

from __future__ import annotations

from typing import Any


class ONNXPredictor:
    def __init__(self, onnx_client: Any, config: dict[str, Any]) -> None:
        self.client = onnx_client

    def predict(self, payload: Any, query_params: Any) -> dict[str, Any]:
        """A list of readings in, their temperatures out; `?sensor=sensor-0042` names the model."""
        sensor = query_params["sensor"]
        (degrees,) = self.client.predict(payload, sensor)
        return {"sensor": sensor, "degrees": [round(float(value), 1) for value in degrees]}
