"""What an address leads to, as what the networks take; and what they answer."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np
from PIL import Image

SIDE = 8
"""Two networks have learnt images of 8 by 8 pixels, bright ink on a dark ground."""


def preprocess(url: str) -> dict[str, Any]:
    """Fetches an image, scaled to the pixels that the networks know, or the lengths of a flower as JSON."""
    if urlsplit(url).scheme not in ("http", "https", "data"):
        raise ValueError("the url must begin with http:, https: or data:")  # file: would give away the server's files
    with urlopen(url, timeout=10) as answer:
        content = answer.read()
        if answer.headers.get_content_type() == "application/json":
            flower: dict[str, Any] = json.loads(content)
            return flower
    image = Image.open(io.BytesIO(content)).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return {"pixels": np.asarray(image, dtype=np.float32).reshape(1, -1) / 255}


def postprocess(results: dict[str, Any]) -> Any:
    """The networks give words, one for each row of the input."""
    return results["labels"][0]
