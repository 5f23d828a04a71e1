"""A classifier of flowers, as users write it."""

from __future__ import annotations

from typing import Any

LABELS = ["setosa", "versicolor", "virginica"]


class ONNXPredictor:
    """Leaves conversion and inference to the client."""

    def __init__(self, onnx_client: Any, config: dict[str, Any]) -> None:
        self.client = onnx_client

    def predict(self, payload: dict[str, float]) -> str:
        """The name of the flower with these lengths."""
        model_input = [
            payload["sepal_length"],
            payload["sepal_width"],
            payload["petal_length"],
            payload["petal_width"],
        ]
        prediction = self.client.predict(model_input)
        return LABELS[prediction[0][0]]
