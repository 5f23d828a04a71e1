"""A classifier of flowers that learns when it is built, as a first API of many users does."""

from __future__ import annotations

from typing import Any

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


class PythonPredictor:
    """Fits 150 flowers, which takes a few milliseconds; what takes time is the import."""

    def __init__(self, config: dict[str, Any]) -> None:
        data: Any = load_iris()
        self.names = data.target_names
        self.model: Any = LogisticRegression(max_iter=200).fit(data.data, data.target)

    def predict(self, payload: dict[str, float]) -> str:
        """The name of the flower with these lengths."""
        lengths = [
            payload["sepal_length"],
            payload["sepal_width"],
            payload["petal_length"],
            payload["petal_width"],
        ]
        return str(self.names[self.model.predict([lengths])[0]])
