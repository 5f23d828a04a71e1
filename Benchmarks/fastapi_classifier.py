"""What `predictors/classifier.py` does, for FastAPI."""

from __future__ import annotations

from typing import Any

from fastapi import Body, FastAPI
from fastapi.responses import PlainTextResponse
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

app = FastAPI()
data: Any = load_iris()
names = data.target_names
model: Any = LogisticRegression(max_iter=200).fit(data.data, data.target)


@app.post("/", response_class=PlainTextResponse)
def answer(payload: Any = Body()) -> str:  # noqa: B008 (the way of FastAPI)
    """The name of the flower with these lengths."""
    lengths = [
        payload["sepal_length"],
        payload["sepal_width"],
        payload["petal_length"],
        payload["petal_width"],
    ]
    return str(names[model.predict([lengths])[0]])
