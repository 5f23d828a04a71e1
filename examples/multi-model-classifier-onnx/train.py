# /// script
# requires-python = ">=3.10"
# dependencies = ["scikit-learn>=1.6,<2", "skl2onnx>=1.18"]
# ///
"""Trains three small networks on the digits that come with scikit-learn, and exports each to ONNX.

They stand in for the large networks whose names they bear, which would have to be downloaded.
"""

from __future__ import annotations

from pathlib import Path

from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

FOLDER = Path(__file__).parent / "models"
HELD_OUT = 300
NEURONS = {"resnet50": (64, 64), "mobilenet": (32,), "shufflenet": (16,)}


def main() -> None:
    """Writes `models/<name>/1/<name>.onnx` for each."""
    digits = load_digits()
    x, y = digits.data / 16, digits.target
    for name, layers in NEURONS.items():
        model = MLPClassifier(layers, max_iter=600, random_state=7).fit(x[:-HELD_OUT], y[:-HELD_OUT])
        accuracy = model.score(x[-HELD_OUT:], y[-HELD_OUT:])
        exported = to_onnx(model, initial_types=[("pixels", FloatTensorType([None, 64]))], target_opset=17)
        file = FOLDER / name / "1" / f"{name}.onnx"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(exported.SerializeToString())
        print(f"{name}: accuracy on {HELD_OUT} digits not seen: {accuracy:.1f}")


if __name__ == "__main__":
    main()
