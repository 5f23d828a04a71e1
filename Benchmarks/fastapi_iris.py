"""What `predictors/iris.py` does, for FastAPI: onnxruntime called as its documents say."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import onnxruntime
from fastapi import Body, FastAPI
from fastapi.responses import PlainTextResponse

LABELS = ["setosa", "versicolor", "virginica"]

app = FastAPI()
session = onnxruntime.InferenceSession(os.environ["IRIS_MODEL"])
input_name = session.get_inputs()[0].name


def classify(payload: dict[str, float]) -> str:
    """The name of the flower with these lengths."""
    model_input = [
        payload["sepal_length"],
        payload["sepal_width"],
        payload["petal_length"],
        payload["petal_width"],
    ]
    prediction = session.run(None, {input_name: np.array([model_input], dtype=np.float32)})
    return str(LABELS[prediction[0][0]])


@app.post("/def", response_class=PlainTextResponse)
def answer(payload: Any = Body()) -> str:  # noqa: B008 (the way of FastAPI)
    """Runs in FastAPI's thread pool, as its documents advise for code that blocks."""
    return classify(payload)


@app.post("/async", response_class=PlainTextResponse)
async def answer_async(payload: Any = Body()) -> str:  # noqa: B008
    """Runs on the event loop: nothing else does meanwhile."""
    return classify(payload)
