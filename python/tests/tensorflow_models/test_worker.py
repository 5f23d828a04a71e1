"""The documents' TensorFlow predictor, in a whole worker process."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

import server
from catalogs import single

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from server import Worker
    from tensorflow_models.process import ServingProcess

pytestmark = [pytest.mark.timeout(240), pytest.mark.filterwarnings("default")]

PREDICTOR = """
labels = ["setosa", "versicolor", "virginica"]

class TensorFlowPredictor:
    def __init__(self, tensorflow_client, config):
        self.client = tensorflow_client

    def predict(self, payload):
        prediction = self.client.predict(payload)
        predicted_class_id = int(prediction["class_ids"][0])
        return labels[predicted_class_id]
"""
FLOWER = {"sepal_length": 5.2, "sepal_width": 3.6, "petal_length": 1.4, "petal_width": 0.3}
MODEL = 0x24


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    # The worker imports TensorFlow before it is ready.
    monkeypatch.setattr(server, "TIMEOUT", 200)


@pytest.mark.parametrize("place", ["embedded", "serving"])
def test_the_predictor_of_the_documents(
    place: str,
    start: Callable[..., Worker],
    serve: Callable[..., ServingProcess],
    models: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if place == "serving":
        monkeypatch.setenv("TENSORFLOW_SERVING_ADDRESS", serve(iris=("iris", [2])).address)
    worker = start(PREDICTOR, listening=False, api="iris", predictor_type="tensorflow", models=single(2))
    worker.on_disk = lambda _: {"path": os.path.join(models, "iris", "2")}
    worker.listen()
    worker.ready()
    loaded = worker.event(MODEL)
    assert (loaded["event"], loaded["signature_key"]) == ("loaded", "predict")
    assert loaded["inputs"]["sepal_length"] == {"shape": [None], "type": "float32"}
    peer = worker.accept()
    peer.request(json.dumps(FLOWER).encode())
    answer = peer.answer()
    assert (answer.status, answer.body) == (200, b"setosa")
    assert ["x-cortex-model-version", "2"] in [list(pair) for pair in answer.headers]
    # What nobody catches is the predictor's failure; the log says what was missing.
    peer.request(json.dumps({"sepal_length": 5.2}).encode(), number=2)
    assert peer.answer(2).status == 500
    assert "missing key 'petal_length' for version 2 of the model" in worker.log("missing key")["message"]


def test_a_model_without_a_choice_of_signature_fails_the_start(
    start: Callable[..., Worker], serve: Callable[..., ServingProcess], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TENSORFLOW_SERVING_ADDRESS", serve(test=("several", [1])).address)
    worker = start(PREDICTOR, listening=False, predictor_type="tensorflow", models=single(1))
    worker.on_disk = lambda _: {"path": str(tmp_path)}
    worker.listen()
    failed = worker.failed()
    assert failed["stage"] == "models"
    assert "signature_key must be specified, one of 'double', 'triple'" in failed["error"]
