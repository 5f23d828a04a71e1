# /// script
# requires-python = ">=3.10"
# dependencies = [
#     "scikit-learn>=1.6,<2",
#     "tensorflow-cpu>=2.16; sys_platform == 'linux' and platform_machine == 'x86_64'",
#     "tensorflow>=2.16; sys_platform != 'linux' or platform_machine != 'x86_64'",
# ]
# ///
"""Trains three small networks on data that comes with scikit-learn, and exports each as a SavedModel.

Two of them stand in for the large networks whose names they bear, which would have to be downloaded.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

# Before TensorFlow is imported: it tells a lot about the processor.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")

import keras
import tensorflow as tf
from sklearn.datasets import load_digits, load_iris

FOLDER = Path(__file__).parent / "models"
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
LENGTHS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def train(x: Any, y: Any, neurons: int, classes: int) -> Any:
    """A network with one hidden layer."""
    scale = keras.layers.Normalization()
    scale.adapt(x)
    network = keras.Sequential(
        [
            keras.Input([x.shape[1]]),
            scale,
            keras.layers.Dense(neurons, "relu"),
            keras.layers.Dense(classes, "softmax"),
        ]
    )
    network.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    network.fit(x, y, epochs=15, verbose=0)
    return network


def export(name: str, network: Any, labels: list[str], inputs: dict[str, list[int | None]]) -> None:
    """Writes the network as version 1, with named inputs, and the words for its classes as output."""
    module = tf.Module()
    module.network = network
    words = tf.constant(labels)

    def classify(*values: Any) -> dict[str, Any]:
        x = tf.stack(values, axis=1) if len(values) > 1 else values[0]
        return {"labels": tf.gather(words, tf.argmax(network(x, training=False), axis=1))}

    specs = [tf.TensorSpec(shape, tf.float32, name=key) for key, shape in inputs.items()]
    module.classify = tf.function(classify, input_signature=specs)
    tf.saved_model.save(module, str(FOLDER / name / "1"), signatures={"predict": module.classify})
    print(f"exported {name}")


def main() -> None:
    """Writes `models/<name>/1` for each."""
    keras.utils.set_random_seed(7)
    x, y = load_digits(return_X_y=True)
    export("inception", train(x / 16, y, 64, 10), DIGITS, {"pixels": [None, 64]})
    export("resnet50", train(x / 16, y, 32, 10), DIGITS, {"pixels": [None, 64]})
    flowers = load_iris()
    network = train(flowers.data, flowers.target, 16, 3)
    export("iris", network, [str(name) for name in flowers.target_names], {name: [None] for name in LENGTHS})


if __name__ == "__main__":
    main()
