"""Tells three kinds of iris apart by the size of their petals and sepals."""

from __future__ import annotations

from typing import Any

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from starlette.responses import JSONResponse

FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


class PythonPredictor:
    def __init__(self, config: dict[str, Any]) -> None:
        """Trains on the 150 flowers that come with scikit-learn: this takes a few milliseconds."""
        iris = load_iris()
        self.labels = [str(name) for name in iris.target_names]
        train_x, test_x, train_y, test_y = train_test_split(
            iris.data, iris.target, test_size=0.2, random_state=config["seed"], stratify=iris.target
        )
        self.model = make_pipeline(StandardScaler(), LogisticRegression(C=config["regularisation"]))
        self.model.fit(train_x, train_y)
        print(
            f"trained on {len(train_y)} flowers; "
            f"accuracy on {len(test_y)} others: {self.model.score(test_x, test_y):.2f}"
        )

    def predict(self, payload: Any) -> dict[str, Any] | JSONResponse:
        """One flower in (an object with the four lengths in centimetres), its most likely kind out."""
        missing = [name for name in FEATURES if not isinstance(payload, dict) or name not in payload]
        if missing:
            return JSONResponse({"error": f"missing: {', '.join(missing)}"}, status_code=400)
        probabilities = self.model.predict_proba([[payload[name] for name in FEATURES]])[0]
        best = int(probabilities.argmax())
        return {"label": self.labels[best], "probability": round(float(probabilities[best]), 2)}
