# /// script
# requires-python = ">=3.10"
# dependencies = [
#     "tensorflow-cpu>=2.16; sys_platform == 'linux' and platform_machine == 'x86_64'",
#     "tensorflow>=2.16; sys_platform != 'linux' or platform_machine != 'x86_64'",
# ]
# ///
"""Writes the SavedModels of the tests into the folder that the first argument names."""

import os
import sys
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")

import tensorflow as tf

FLOWERS = ["setosa", "versicolor", "virginica"]
THINGS = ["tabby", "sports_car"]
LENGTHS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def save(folder, function, inputs, **variables):
    """A model of one signature; all its numbers are variables, as trained ones are."""
    module = tf.Module()
    module.values = {name: tf.Variable(value, dtype=tf.float32) for name, value in variables.items()}
    specs = [tf.TensorSpec(shape, tf.float32, name=name) for name, shape in inputs.items()]
    module.run = tf.function(lambda *given: function(module.values, *given), input_signature=specs)
    tf.saved_model.save(module, str(folder), signatures={"predict": module.run})


def iris(values, *lengths):
    """The length of the petals tells most of it."""
    petals = tf.expand_dims(lengths[2], axis=1)
    ids = tf.reduce_sum(tf.cast(petals > values["bounds"], tf.int64), axis=1)
    return {"class_ids": ids, "labels": tf.gather(tf.constant(FLOWERS), ids)}


def colour(values, image):
    """More red than green: a car."""
    ids = tf.argmax(image @ values["weights"], axis=1)
    return {"labels": tf.gather(tf.constant(THINGS), ids)}


def answer(values, x):
    """The same for each number given."""
    return {"y": x * 0 + values["answer"] * tf.reduce_max(values["padding"])}


if __name__ == "__main__":
    root = Path(sys.argv[1])
    save(root / "iris", iris, {name: [None] for name in LENGTHS}, bounds=[2.45, 4.75])
    for name in ("inception", "resnet50"):
        save(root / name, colour, {"image": [None, 3]}, weights=[[0, 1], [1, 0], [0, 0]])
    for value in (1, 2, 3):
        save(root / f"value-{value}", answer, {"x": [None]}, answer=value, padding=[1.0] * 500_000)
