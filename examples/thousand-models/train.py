# /// script
# requires-python = ">=3.10"
# dependencies = ["numpy>=2", "onnx>=1.17"]
# ///
"""Fits one small model for each of a thousand sensors, and exports them to ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parent / "models"
SENSORS = 1000
KNOWN = np.array([-20, 0, 20, 40, 60, 80], dtype=np.float64)
"""Degrees at which each sensor has been read."""


def main() -> None:
    """Writes `models/sensor-0000/1/model.onnx` and 999 more."""
    for number in range(SENSORS):
        slope, offset = fit(number)
        file = FOLDER / f"sensor-{number:04d}" / "1" / "model.onnx"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(export(slope, offset))
    print(f"calibrated {SENSORS} sensors")


def fit(number: int) -> tuple[float, float]:
    """A line through what one sensor showed: no two are alike, and all of them jitter."""
    sensor = np.random.default_rng(number)
    shown = sensor.normal(10, 1) * KNOWN + sensor.normal(500, 40) + sensor.normal(0, 1, KNOWN.size)
    slope, offset = np.polyfit(shown, KNOWN, deg=1)
    return float(slope), float(offset)


def export(slope: float, offset: float) -> bytes:
    """`degrees = shown * slope + offset`, for any number of readings."""
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["shown", "slope"], ["scaled"]),
            helper.make_node("Add", ["scaled", "offset"], ["degrees"]),
        ],
        "calibration",
        [helper.make_tensor_value_info("shown", TensorProto.FLOAT, ["readings"])],
        [helper.make_tensor_value_info("degrees", TensorProto.FLOAT, ["readings"])],
        [
            numpy_helper.from_array(np.array([slope], dtype=np.float32), "slope"),
            numpy_helper.from_array(np.array([offset], dtype=np.float32), "offset"),
        ],
    )
    # An operator set and a format that older releases of onnxruntime know.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
