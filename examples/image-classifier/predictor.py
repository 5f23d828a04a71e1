"""Reads a handwritten digit from an image."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from starlette.datastructures import FormData, UploadFile
from starlette.responses import JSONResponse

SIDE = 8
"""The images of the data set are 8 by 8 pixels, bright ink on a dark ground."""

HELD_OUT = 300
"""The last images of the set are not trained on: `sample.png` is one of them."""


class PythonPredictor:
    def __init__(self, config: dict[str, Any]) -> None:
        """Learns the 1,797 digits that come with scikit-learn, but for the last ones, which measure the accuracy."""
        digits = load_digits()
        self.model = KNeighborsClassifier(n_neighbors=config["neighbours"])
        self.model.fit(digits.data[:-HELD_OUT], digits.target[:-HELD_OUT])
        accuracy = self.model.score(digits.data[-HELD_OUT:], digits.target[-HELD_OUT:])
        print(f"learnt {len(digits.data) - HELD_OUT} digits; accuracy on {HELD_OUT} others: {accuracy:.2f}")

    def predict(self, payload: Any) -> Any:
        """Takes the image itself as the body, or any number of images as files of a form."""
        try:
            if isinstance(payload, bytes):
                return self.read_digit(io.BytesIO(payload))
            if isinstance(payload, FormData):
                return {
                    part.filename: self.read_digit(part.file)
                    for _, part in payload.multi_items()
                    if isinstance(part, UploadFile)
                }
        except OSError:
            return JSONResponse({"error": "not an image that Pillow can read"}, status_code=400)
        return JSONResponse({"error": "send an image, as the body or as a file of a form"}, status_code=415)

    def read_digit(self, file: Any) -> dict[str, Any]:
        """Scales the image to the pixels that the model knows, and asks it."""
        image = Image.open(file).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
        pixels = np.asarray(image, dtype=float).reshape(1, -1) * (16 / 255)
        probabilities = self.model.predict_proba(pixels)[0]
        best = int(probabilities.argmax())
        return {"digit": best, "confidence": float(probabilities[best])}
