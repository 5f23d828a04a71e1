# /// script
# requires-python = ">=3.10"
# dependencies = ["scikit-learn>=1.6,<2", "skl2onnx>=1.18"]
# ///
"""Trains a logistic regression on the 150 flowers that come with scikit-learn, and exports it to ONNX."""

from __future__ import annotations

from pathlib import Path

from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).parent / "models" / "iris"


def main() -> None:
    """Writes `models/iris/1/iris.onnx`: a version is a folder with one file."""
    x, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    accuracy = cross_val_score(model, x, y, cv=5).mean()
    model.fit(x, y)
    # Any number of flowers with four lengths each; an operator set that older releases of onnxruntime know.
    exported = to_onnx(model, initial_types=[("lengths", FloatTensorType([None, 4]))], target_opset=17)
    file = FOLDER / "1" / "iris.onnx"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(exported.SerializeToString())
    print(f"trained on {len(y)} flowers; accuracy on flowers not seen: {accuracy:.2f}")


if __name__ == "__main__":
    main()
