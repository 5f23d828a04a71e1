"""Models of a whole worker process: the frames, the requests, and the predictor's contract."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from catalogs import Disk, single

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from server import Peer, Worker

    ServeModels = Callable[..., tuple[Worker, Peer]]
    Start = Callable[..., Worker]

ENSURE, MODEL, COUNTED, MODELS, COUNT = 0x23, 0x24, 0x25, 0x33, 0x35

READER = """
from starlette.responses import StreamingResponse
class Text(str): pass
class PythonPredictor:
    def __init__(self, config, python_client):
        self.client, self.bad = python_client, config.get("bad", [])
    def load_model(self, model_path):
        name = open(model_path + "/name").read()
        if name in self.bad: raise OSError("no such file: " + model_path + "/weights")
        return Text(name)
    def predict(self, payload):
"""


def predictor_with(predict: str) -> str:
    """A predictor whose models are the names of their folders."""
    return READER + textwrap.indent(textwrap.dedent(predict), " " * 8)


GETS = predictor_with("return [self.client.get_model(*each) for each in payload]")


@pytest.fixture
def serve_models(start: Start, tmp_path: Path) -> ServeModels:
    """Starts a worker whose models are on disk, and waits for its first slot."""

    def serve(predictor: str, models: dict[str, Any], **options: Any) -> tuple[Worker, Peer]:
        worker = start(predictor, listening=False, models=models, **options)
        worker.on_disk = Disk(tmp_path / "models")
        worker.listen()
        worker.ready()
        return worker, worker.accept()

    return serve


def ask(peer: Peer, payload: Any, number: int = 1) -> Any:
    peer.request(json.dumps(payload).encode(), number=number)
    answer = peer.answer(number)
    return json.loads(answer.body) if answer.body else (answer.status, answer.report)


def test_the_latest_is_loaded_before_ready(serve_models: ServeModels) -> None:
    worker, peer = serve_models(GETS, single(1, 2))
    assert worker.event(ENSURE) == {"model": "_cortex_default", "version": "2", "generation": "a"}
    loaded = worker.event(MODEL)
    assert (loaded["event"], loaded["version"]) == ("loaded", "2")
    assert loaded["seconds"] >= 0
    # The name is ignored; None, "latest", text and numbers are versions.
    payload = [[], ["any"], [None, None], [None, "latest"], [None, "1"], [None, 1]]
    latest, first = "_cortex_default-2-a", "_cortex_default-1-a"
    assert ask(peer, payload) == [latest, latest, latest, latest, first, first]


def test_the_version_is_told_where_one_answered(serve_models: ServeModels) -> None:
    predictor = predictor_with(
        """
        names = [self.client.get_model(*each) for each in payload["get"]]
        if payload.get("stream"):
            return StreamingResponse(iter(names), headers=payload.get("headers"))
        return names
        """
    )
    _, peer = serve_models(predictor, single(1, 2))
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"get": [[], [None, "2"]]}, ["2"]),
        ({"get": [[None, 1]]}, ["1"]),
        ({"get": [[None, 1], []]}, []),
        ({"get": []}, []),
        ({"get": [[]], "stream": True}, ["2"]),
        ({"get": [[]], "stream": True, "headers": {"X-Cortex-Model-Version": "mine"}}, ["mine"]),
    ]
    for number, (payload, expected) in enumerate(cases, 1):
        peer.request(json.dumps(payload).encode(), number=number)
        assert peer.answer(number).header("x-cortex-model-version") == expected
