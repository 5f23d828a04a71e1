"""Images to what the networks take, and what they answer to words."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np
from PIL import Image

SIDE = 8
"""The networks have learnt images of 8 by 8 pixels, bright ink on a dark ground."""

LABELS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def preprocess(url: str) -> Any:
    """Fetches the image, and scales it to the pixels that the networks know."""
    if urlsplit(url).scheme not in ("http", "https", "data"):
        raise ValueError("the url must begin with http:, https: or data:")  # file: would give away the server's files
    with urlopen(url, timeout=10) as answer:
        image = Image.open(io.BytesIO(answer.read())).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float32).reshape(1, -1) / 255


def postprocess(results: Any) -> str:
    """The first output of the networks is the class."""
    return str(LABELS[results[0][0]])
