"""SavedModels for the tests, made here: `export_all(folder)` writes each as `<folder>/<name>/<version>/`."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

#: Every type that a model may have, with values at its ends.
VALUES: dict[str, list[Any]] = {
    "float32": [0.5, -1.25, float("inf")],
    "float64": [0.1, -1e300, 5e-324],
    "float16": [0.5, -2.0, 65504.0],
    "bfloat16": [0.5, -2.0, 3.0],
    "int8": [-128, 0, 127],
    "int16": [-32768, 0, 32767],
    "int32": [-(2**31), 0, 2**31 - 1],
    "int64": [-(2**63), 0, 2**63 - 1],
    "uint8": [0, 1, 255],
    "uint16": [0, 1, 65535],
    "uint32": [0, 1, 2**32 - 1],
    "uint64": [0, 1, 2**64 - 1],
    "bool": [True, False, True],
    "complex64": [1 + 2j, -0.5j, 3 + 0j],
    "complex128": [1 + 2j, -0.1j, 3 + 0j],
    "string": ["plain", "", "h\u00e9llo"],
}


def export_all(root: str) -> None:
    """Export all models of the tests."""
    import tensorflow as tf

    export_iris(tf, os.path.join(root, "iris", "1"), bias=0.0)
    export_iris(tf, os.path.join(root, "iris", "2"), bias=0.5)
    _export_keras(tf, os.path.join(root, "keras", "1"))
    _export_functions(tf, root)
    _export_version_1(tf, os.path.join(root, "graph", "1"))
    _export_damaged(root)


def export_iris(tf: Any, path: str, bias: float) -> None:
    """A trained classifier that takes four scalars, as the seeds' example does."""
    import keras

    keras.utils.set_random_seed(7)
    samples = np.random.default_rng(7).normal(size=(90, 4)).astype("float32")
    labels = np.repeat([0, 1, 2], 30)
    samples[np.arange(90), labels] += 4
    network = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    network.compile(
        optimizer=keras.optimizers.SGD(0.5), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    network.fit(samples, labels, epochs=8, batch_size=90, verbose=0)

    names = tf.constant([b"setosa", b"versicolor", b"virginica"])

    def classify(*columns: Any) -> dict[str, Any]:
        logits = network(tf.stack(columns, axis=1)) + bias
        classes = tf.argmax(logits, axis=1)
        return {
            "class_ids": classes[:, None],
            "classes": tf.gather(names, classes)[:, None],
            "logits": logits,
            "probabilities": tf.nn.softmax(logits),
        }

    archive = keras.export.ExportArchive()
    archive.track(network)
    specs = [tf.TensorSpec([None], tf.float32, name=name) for name in IRIS_INPUTS]
    archive.add_endpoint("predict", classify, input_signature=specs)
    archive.write_out(path, verbose=False)


IRIS_INPUTS = ("sepal_length", "sepal_width", "petal_length", "petal_width")


def _export_keras(tf: Any, path: str) -> None:
    import keras

    keras.utils.set_random_seed(1)
    network = keras.Sequential([keras.layers.Input((4,), name="rows"), keras.layers.Dense(2, name="scores")])
    network.export(path, verbose=False)


def _export_functions(tf: Any, root: str) -> None:
    def save(name: str, signatures: dict[str, Any], size: int = 1) -> None:
        model = tf.Module()
        model.variable = tf.Variable(tf.ones([size]))
        tf.saved_model.save(model, os.path.join(root, name, "1"), signatures=signatures)

    def function(result: Any, **inputs: Any) -> Any:
        specs = {name: tf.TensorSpec(shape, kind, name=name) for name, (shape, kind) in inputs.items()}
        return tf.function(result).get_concrete_function(**specs)

    numbers = {"x": ([None], tf.float32)}
    double = function(lambda x: {"y": x * 2}, **numbers)
    triple = function(lambda x: {"y": x * 3, "z": x}, **numbers)
    save("several", {"double": double, "triple": triple})
    save("predict", {"predict": double, "other": triple})
    save("default", {"serving_default": double, "other": triple})
    save("unsigned", {})
    save("no_inputs", {"constant": function(lambda: {"y": tf.constant([1.0])})})
    save(
        "types",
        {
            "serving_default": function(
                lambda **values: {f"{name}_out": tf.identity(value) for name, value in values.items()},
                **{name: ([None], getattr(tf, name)) for name in VALUES},
            )
        },
    )
    save(
        "shapes",
        {
            "serving_default": function(
                lambda x: {
                    "cut": tf.strings.substr(tf.constant([[b"h\xc3\xa9llo"], [b"\xff\xfe"]]), 0, 2),
                    "empty": x[:0],
                    "no_text": tf.strings.as_string(x[:0]),
                    "nothing": tf.zeros([2, 0], tf.int64),
                    "number": tf.reduce_sum(x),
                    "numbers": tf.stack([x / 0.0, -x / 0.0, x * 0.0 / 0.0], axis=1),
                    "same": tf.fill([2, 3], tf.cast(7, tf.int64)),
                    "text": tf.strings.join([b"sum ", tf.strings.as_string(tf.reduce_sum(x), precision=1)]),
                    "zeros": tf.zeros([2, 2]),
                },
                **numbers,
            )
        },
    )
    save(
        "pair",
        {
            "serving_default": function(
                lambda rows, weights: {"sums": tf.reduce_sum(rows, axis=1) * tf.cast(weights, tf.float32)},
                rows=([None, 2], tf.float32),
                weights=([None], tf.int64),
            )
        },
    )
    save("free", {"serving_default": function(lambda x: {"size": tf.size(x)}, x=(None, tf.float32))})
    save("scalar", {"serving_default": function(lambda x: {"y": x + 1}, x=([], tf.int32))})
    save("large", {"serving_default": function(lambda x: {"y": tf.fill([1_500_000], x[0])}, **numbers)})
    save("weights", {"serving_default": double}, size=2_000_000)
    upper = function(lambda text: {"loud": tf.strings.upper(text)}, text=([None], tf.string))
    save("shout", {"serving_default": upper})


def _export_version_1(tf: Any, path: str) -> None:
    """As TensorFlow 1 exported: a graph with variables, and no objects."""
    old = tf.compat.v1
    with old.Graph().as_default(), old.Session() as session:
        x = old.placeholder(tf.float32, [None], name="x")
        factor = old.get_variable("factor", initializer=3.0, use_resource=False)
        session.run(old.global_variables_initializer())
        builder = old.saved_model.Builder(path)
        signature = old.saved_model.predict_signature_def({"x": x}, {"y": x * factor})
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map={"serving_default": signature})
        builder.save()


def _export_damaged(root: str) -> None:
    whole = os.path.join(root, "pair", "1", "saved_model.pb")
    path = os.path.join(root, "damaged", "1")
    os.makedirs(path)
    with open(whole, "rb") as file, open(os.path.join(path, "saved_model.pb"), "wb") as damaged:
        damaged.write(file.read()[:-700])
