# /// script
# requires-python = ">=3.10"
# dependencies = [
#     "scikit-learn>=1.6,<2",
#     "tensorflow-cpu>=2.16; sys_platform == 'linux' and platform_machine == 'x86_64'",
#     "tensorflow>=2.16; sys_platform != 'linux' or platform_machine != 'x86_64'",
# ]
# ///
"""Trains a small network on the 150 flowers that come with scikit-learn, and exports it as a SavedModel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

# Before TensorFlow is imported: it tells a lot about the processor.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")

import keras
import tensorflow as tf
from sklearn.datasets import load_iris

FOLDER = Path(__file__).parent / "models" / "iris"
FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


class IrisModel(tf.Module):
    """The network with inputs and outputs that have names."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name=name) for name in FEATURES])
    def predict(self, *lengths: Any) -> dict[str, Any]:
        """Any number of flowers in, one list for each length; a class and the probabilities of all out."""
        probabilities = self.network(tf.stack(lengths, axis=1), training=False)
        return {"class_ids": tf.argmax(probabilities, axis=1), "probabilities": probabilities}


def main() -> None:
    """Writes `models/iris/1`: a version is a folder with a SavedModel."""
    keras.utils.set_random_seed(7)
    x, y = load_iris(return_X_y=True)
    scale = keras.layers.Normalization()
    scale.adapt(x)
    network = keras.Sequential(
        [keras.Input([4]), scale, keras.layers.Dense(16, "relu"), keras.layers.Dense(3, "softmax")]
    )
    network.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    network.fit(x, y, epochs=40, verbose=0)
    model = IrisModel(network)
    tf.saved_model.save(model, str(FOLDER / "1"), signatures={"predict": model.predict})
    print(f"trained on {len(y)} flowers")


if __name__ == "__main__":
    main()
