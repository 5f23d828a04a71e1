"""One contract for both places where a TensorFlow model may run: same values in, same dictionary out."""

from __future__ import annotations

import gc
import math
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable, cast

import numpy as np
import pytest

from cortex_worker.errors import InferenceFailed, ModelLoadFailed
from cortex_worker.models.entry import Entry
from cortex_worker.models.tensorflow_client import TensorFlowClient, tensorflow_loader
from cortex_worker.models.tensorflow_errors import InvalidModelInput
from tensorflow_models.exports import VALUES

if TYPE_CHECKING:
    from cortex_worker.models.tensorflow_model import TensorFlowModel
    from tensorflow_models.process import ServingProcess

    Load = Callable[..., TensorFlowModel]

# TensorFlow's own modules warn of their use of Python and numpy.
pytestmark = [pytest.mark.timeout(240), pytest.mark.filterwarnings("default")]

FLOWER = {"sepal_length": 5.2, "sepal_width": 3.6, "petal_length": 1.4, "petal_width": 0.3}


@pytest.fixture(scope="module", params=["embedded", "serving", "serving-content"])
def load(request: pytest.FixtureRequest, models: str) -> Load:
    """Loads a model of the tests in one of the places."""
    environ = {}
    if request.param != "embedded":
        served = {
            name: (name, [int(version) for version in os.listdir(os.path.join(models, name))])
            for name in os.listdir(models)
        }
        server: ServingProcess = request.getfixturevalue("serve")(**served)
        is_content = request.param == "serving-content"
        environ["TENSORFLOW_SERVING_ADDRESS"] = server.content_address if is_content else server.address
    loader = tensorflow_loader(environ, "api")
    loader.prepare()

    def load(name: str, version: str = "1", key: str | None = None) -> TensorFlowModel:
        return cast("TensorFlowModel", loader.load(name, version, os.path.join(models, name, version), key))

    return load


def test_the_iris_classifier_of_the_documents(load: Load) -> None:
    class Shelf:
        def get(self, name: str | None, version: str | int | None) -> Entry:
            assert (name, version) == (None, "latest")
            return Entry("iris", 1, "generation", load("iris"))

    holder: Any = Shelf()
    prediction = TensorFlowClient(holder).predict(FLOWER)
    assert list(prediction) == ["class_ids", "classes", "logits", "probabilities"]
    assert prediction["class_ids"] == [0]
    assert type(prediction["class_ids"][0]) is int
    assert prediction["classes"] == ["setosa"]
    assert prediction["logits"] == pytest.approx([2.931009, 1.754058, -1.113512], abs=1e-4)
    assert sum(prediction["probabilities"]) == pytest.approx(1)


def test_rows_come_one_after_another(load: Load) -> None:
    flower = {name: [value, value + 3] for name, value in FLOWER.items()}
    prediction = load("iris").predict(flower)
    assert len(prediction["class_ids"]) == 2
    assert len(prediction["probabilities"]) == 6
    assert prediction["probabilities"][:3] == pytest.approx(load("iris").predict(FLOWER)["probabilities"])


def test_versions_are_told_apart(load: Load) -> None:
    first, second = load("iris", "1").predict(FLOWER), load("iris", "2").predict(FLOWER)
    assert second["logits"] == pytest.approx([value + 0.5 for value in first["logits"]], abs=1e-5)


def test_all_types_go_in_and_out_unchanged(load: Load) -> None:
    given: dict[str, Any] = dict(VALUES)
    prediction = load("types").predict(given)
    assert prediction == {f"{name}_out": VALUES[name] for name in sorted(VALUES)}
    for name, values in VALUES.items():
        assert [type(value) for value in prediction[f"{name}_out"]] == [type(value) for value in values]


def test_all_types_are_taken_from_arrays(load: Load) -> None:
    arrays = {name: np.array(values, None if name == "bfloat16" else _host(name)) for name, values in VALUES.items()}
    assert load("types").predict(arrays) == {f"{name}_out": VALUES[name] for name in sorted(VALUES)}


def _host(name: str) -> Any:
    return np.dtype(object if name == "string" else name)


def test_empty_lists_go_in_and_out(load: Load) -> None:
    prediction = load("types").predict({name: [] for name in VALUES})
    assert prediction == {f"{name}_out": [] for name in sorted(VALUES)}


def test_shapes_are_lost_and_odd_values_kept(load: Load) -> None:
    prediction = load("shapes").predict({"x": [1, 2]})
    numbers = prediction.pop("numbers")
    assert prediction == {
        "cut": [b"h\xc3", b"\xff\xfe"],
        "empty": [],
        "no_text": [],
        "nothing": [],
        "number": [3.0],
        "same": [7] * 6,
        "text": ["sum 3.0"],
        "zeros": [0.0] * 4,
    }
    assert numbers[:2] == [math.inf, -math.inf]
    assert math.isnan(numbers[2])
    assert type(numbers[2]) is float


@pytest.mark.parametrize("given", [[1, 2], (1, 2), [1.0, 2], [True, 2], np.array([1, 2]), np.array([1.0, 2.0])])
def test_numbers_are_taken_in_many_forms(load: Load, given: Any) -> None:
    assert load("predict").predict({"x": given})["y"] == [float(value) * 2 for value in given]


def test_inputs_of_any_rank_take_any(load: Load) -> None:
    free = load("free")
    sizes = [free.predict({"x": given})["size"] for given in (1, [1, 2], [[1, 2]], [[[1, 2, 3]]])]
    assert sizes == [[1], [2], [2], [3]]


def test_scalars_become_lists_of_one(load: Load) -> None:
    assert load("predict").predict({"x": 5}) == {"y": [10.0]}
    assert load("graph").predict({"x": np.float64(5)}) == {"y": [15.0]}
    assert load("shout").predict({"text": "h\u00e9"}) == {"loud": ["H\u00e9"]}
    assert load("scalar").predict({"x": 5}) == {"y": [6]}


def test_text_is_taken_as_text_or_bytes(load: Load) -> None:
    shout = load("shout")
    assert shout.predict({"text": ["ab", b"cd\xff"]}) == {"loud": ["AB", b"CD\xff"]}
    assert shout.predict({"text": np.array(["ab", "c"])}) == {"loud": ["AB", "C"]}


def test_exports_of_version_1_have_their_variables(load: Load) -> None:
    assert load("graph").predict({"x": [1, 2]}) == {"y": [3.0, 6.0]}


def test_replies_may_be_large(load: Load) -> None:
    # 6 MB: beyond what gRPC allows by default.
    values = load("large").predict({"x": [0.5]})["y"]
    assert len(values) == 1_500_000
    assert set(values) == {0.5}


def test_keys_without_an_input_are_left_aside(load: Load) -> None:
    assert load("predict").predict({"x": [1], "more": object()}) == {"y": [2.0]}


@pytest.mark.parametrize(
    ("name", "key", "served"),
    [
        ("predict", None, "predict"),
        ("predict", "other", "other"),
        ("several", "triple", "triple"),
        ("keras", None, "serving_default"),
        ("keras", "serve", "serve"),
        ("graph", None, "serving_default"),
    ],
)
def test_the_signature_that_is_served(load: Load, name: str, key: str | None, served: str) -> None:
    assert load(name, key=key).signature_key == served


def test_what_is_told_of_a_signature(load: Load) -> None:
    model = load("pair")
    assert model.inputs == {
        "rows": {"shape": [None, 2], "type": "float32"},
        "weights": {"shape": [None], "type": "int64"},
    }
    assert model.outputs == {"sums": {"shape": [None], "type": "float32"}}
    assert load("free").inputs == {"x": {"shape": ["unknown"], "type": "float32"}}
    assert load("scalar").inputs == {"x": {"shape": [], "type": "int32"}}


@pytest.mark.parametrize(
    ("name", "key", "text"),
    [
        ("several", None, "signature_key must be specified, one of 'double', 'triple'"),
        ("default", None, "signature_key must be specified, one of 'other', 'serving_default'"),
        ("several", "quadruple", "signature_key 'quadruple' was not found in the model; available: 'double', 'triple'"),
        ("unsigned", None, "the SavedModel has no signatures"),
        ("no_inputs", None, "the signature 'constant' of the model has no inputs"),
    ],
)
def test_signatures_that_cannot_be_served(load: Load, name: str, key: str | None, text: str) -> None:
    with pytest.raises(ModelLoadFailed) as raised:
        load(name, key=key)
    assert text in str(raised.value)
    assert f"model {name} of version 1" in str(raised.value)


def test_damaged_files_are_no_model(load: Load) -> None:
    with pytest.raises(ModelLoadFailed):
        load("damaged")


PAIR = {"rows": [[1, 2], [3, 4]], "weights": [1, 2]}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"rows": [[1, 2]]}, "missing key 'weights' for model pair of version 1"),
        ([[1, 2]], "missing key 'rows' for model pair of version 1: expected a dictionary with 'rows', 'weights'"),
        (7, "given a value of type int"),
        (None, "given a value of type NoneType"),
        ({**PAIR, "weights": [1.5]}, "key 'weights' for model pair of version 1: expected int64 [-1], given floats"),
        ({**PAIR, "weights": ["1"]}, "expected int64 [-1], given text [1]"),
        ({**PAIR, "weights": 2**64}, "given a value out of the range of int64"),
        ({**PAIR, "weights": None}, "expected int64 [-1], given None"),
        ({**PAIR, "rows": [[1, 2], [3]]}, "expected float32 [-1, 2], given lists of different lengths"),
        ({**PAIR, "rows": [[1, None]]}, "expected float32 [-1, 2], given values that are no numbers"),
        ({**PAIR, "rows": np.array([["a"]])}, "given an array of <U1 [1, 1]"),
    ],
)
def test_inputs_that_do_not_fit_are_named(load: Load, given: Any, text: str) -> None:
    with pytest.raises(InvalidModelInput) as raised:
        load("pair").predict(given)
    assert text in str(raised.value)


def test_what_tensorflow_refuses_is_explained(load: Load) -> None:
    pair = load("pair")
    with pytest.raises(InvalidModelInput) as raised:
        pair.predict({"rows": [1, 2], "weights": [1]})
    assert "key 'rows' for model pair of version 1: expected float32 [-1, 2], given float32 [2]" in str(raised.value)
    with pytest.raises(InferenceFailed) as failed:
        pair.predict({**PAIR, "weights": [1, 2, 3]})
    assert str(failed.value).startswith("failed inference with model pair of version 1: ")
    assert "ncompatible shapes" in str(failed.value)


def test_a_failure_harms_no_later_prediction(load: Load) -> None:
    pair = load("pair")
    with pytest.raises(InvalidModelInput):
        pair.predict({"rows": [1, 2], "weights": [1]})
    assert pair.predict(PAIR) == {"sums": [3.0, 14.0]}


def test_threads_do_not_mix_their_answers(load: Load) -> None:
    model = load("predict")
    start = threading.Barrier(8)

    def predict(thread: int) -> list[bool]:
        start.wait()
        return [model.predict({"x": [thread, turn]}) == {"y": [thread * 2, turn * 2]} for turn in range(50)]

    with ThreadPoolExecutor(8) as pool:
        assert all(all(answers) for answers in pool.map(predict, range(8)))


def test_models_may_be_loaded_at_once(load: Load) -> None:
    names = ["iris", "pair", "types", "keras", "graph", "shapes", "shout", "large"] * 3
    start = threading.Barrier(8)

    def once(name: str) -> list[str]:
        start.wait()
        return list(load(name).inputs or {})

    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(once, names))
    assert all(loaded)
    assert loaded[:8] == loaded[8:16] == loaded[16:]


def test_reloading_keeps_memory_flat(models: str) -> None:
    loader = tensorflow_loader({}, "api")
    loader.prepare()

    def reload(times: int) -> None:
        for _ in range(times):
            model: Any = loader.load("weights", "1", os.path.join(models, "weights", "1"), None)
            assert model.predict({"x": [1]}) == {"y": [2.0]}
            model.close()
            del model
            gc.collect()

    reload(20)
    before = _resident()
    reload(100)
    # The weights are 8 MB: were they kept, this were 800 MB.
    assert _resident() < before * 1.1, f"{before >> 20} MB became {_resident() >> 20} MB"


def test_threads_are_as_the_environment_says() -> None:
    code = (
        "import os\n"
        "from cortex_worker.models.tensorflow_client import tensorflow_loader\n"
        "tensorflow_loader(os.environ, 'api').prepare()\n"
        "from tensorflow.config import threading\n"
        "print(threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads())"
    )
    environ = {
        **os.environ,
        "OMP_NUM_THREADS": "3,1",
        "TF_NUM_INTEROP_THREADS": "2",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["3", "2"]


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
