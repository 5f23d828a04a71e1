"""Takes as long as it is told, and holds nothing meanwhile, as one that waits for a GPU."""

from __future__ import annotations

import time


class PythonPredictor:
    def predict(self, payload: dict[str, float]) -> dict[str, float]:
        time.sleep(payload["ms"] / 1000)
        return payload
