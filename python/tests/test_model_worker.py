"""Models of a whole worker process: the frames, the requests, and the predictor's contract."""

from __future__ import annotations

import json
import os
import textwrap
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from catalogs import Disk, model, settings, single

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


def test_the_counters(serve_models: ServeModels) -> None:
    worker, peer = serve_models(GETS, settings(cache_size=1, a=model(1), b=model(1)))
    for number, name in enumerate(("a", "a", "b"), 1):
        assert ask(peer, [[name]], number) == [f"{name}-1-a"]
    worker.control.send(COUNT, number=7)
    assert worker.event(COUNTED) == {"hits": 1, "misses": 2}
    events = [worker.event(MODEL) for _ in range(3)]
    assert [(each["event"], each["model"]) for each in events] == [("loaded", "a"), ("unloaded", "a"), ("loaded", "b")]
    assert events[1]["reason"] == "evicted"


def test_changes_while_requests_run(serve_models: ServeModels) -> None:
    predictor = predictor_with(
        """
        first = self.client.get_model()
        print("got it")
        yield_on = open(payload["pipe"]).read()
        return [first, self.client.get_model()]
        """
    ) + textwrap.indent(textwrap.dedent(
        """
        def post_predict(self, response):
            print("still", self.client.get_model())
        """
    ), "    ")  # fmt: skip
    worker, peer = serve_models(predictor, single(1))
    assert worker.event(MODEL)["event"] == "loaded"
    pipe = worker.project.parent / "pipe"
    os.mkfifo(pipe)
    peer.request(json.dumps({"pipe": str(pipe)}).encode())
    worker.log("got it")
    change(worker, _cortex_default=model(1, (2, "b")))
    assert (worker.event(MODEL)["version"]) == "2"
    pipe.write_text("go on")
    answer = peer.answer()
    assert json.loads(answer.body) == ["_cortex_default-1-a"] * 2
    assert answer.header("x-cortex-model-version") == ["1"]
    worker.log("still _cortex_default-1-a")
    unloaded = worker.event(MODEL)
    assert (unloaded["event"], unloaded["version"], unloaded["reason"]) == ("unloaded", "1", "replaced")
    Thread(target=pipe.write_text, args=("go on",), daemon=True).start()
    peer.request(json.dumps({"pipe": str(pipe)}).encode(), number=2)
    assert json.loads(peer.answer(2).body) == ["_cortex_default-2-b"] * 2


def test_removal_and_what_the_client_is_told(serve_models: ServeModels) -> None:
    worker, peer = serve_models(GETS, settings(a=model(1, 2), bad=model(1), strict=False), config={"bad": ["bad-1-a"]})
    change(worker, removed=["gone"], a=model(1))
    cases = [
        (["a", 1], None),
        (["a", "9"], (404, "MODEL_NOT_FOUND", "version 9 of model 'a' wasn't found; available: 1")),
        (["c"], (404, "MODEL_NOT_FOUND", "model 'c' wasn't found in the list of available models; available: a, bad")),
        ([], (404, "MODEL_NOT_FOUND", "model_name was not specified; available: a, bad")),
        (["a", "01"], (400, "INVALID_VERSION", "'01' is not a model version: ")),
        (["bad"], (500, "MODEL_LOAD_FAILED", "version 1 of model 'bad' could not be loaded")),
    ]
    for number, (choice, expected) in enumerate(cases, 1):
        result = ask(peer, [choice], number)
        if expected is None:
            assert result == ["a-1-a"]
        else:
            status, report = result
            assert (status, report["code"]) == expected[:2]
            assert report["error"].startswith(expected[2])
            assert str(worker.project.parent) not in json.dumps(report)
    record = worker.log("could not be loaded")
    assert record["message"].splitlines()[0] == "Traceback (most recent call last):"
    assert "raise OSError" in record["message"]
    assert "cortex_worker" not in record["message"]


def test_a_model_that_cannot_be_brought(serve_models: ServeModels) -> None:
    worker, peer = serve_models(GETS, settings(cache_size=1, a=model(1)))
    disk: Any = worker.on_disk
    disk.errors["a-1-a"] = {"error": "the store at /secret/path is down", "code": "MODEL_UNAVAILABLE"}
    peer.request(b'[["a"]]')
    answer = peer.answer()
    assert (answer.status, answer.report["code"]) == (503, "MODEL_UNAVAILABLE")
    assert answer.report["error"] == "version 1 of model 'a' is not available at the moment; try again later"
    assert answer.report["headers"] == [["retry-after", "1"]]
    assert "the store at /secret/path is down" in worker.log("is not available")["message"]


def test_models_in_the_constructor(serve_models: ServeModels) -> None:
    predictor = """
    class PythonPredictor:
        def __new__(cls, config, python_client):
            made = super().__new__(cls)
            made.suffix = config["suffix"]
            return made
        def __init__(self, config, python_client):
            self.model = python_client.get_model(model_version=1)
            self.client = python_client
        def load_model(self, model_path):
            return open(model_path + "/name").read() + self.suffix
        def predict(self):
            return [self.model, self.client.get_model(), self.client.metadata, self.client.caching]
    """
    _, peer = serve_models(predictor, single(1, 2), config={"suffix": "!"})
    peer.request(kind=0)
    metadata = {"_cortex_default": {"versions": ["1", "2"], "timestamps": [1001, 1002]}}
    assert json.loads(peer.answer().body) == ["_cortex_default-1-a!", "_cortex_default-2-a!", metadata, False]


def test_a_metaclass_with_a_way_of_its_own(serve_models: ServeModels) -> None:
    predictor = """
    class Single(type):
        def __call__(cls, **arguments):
            return super().__call__(**arguments)
    """
    predictor = textwrap.dedent(predictor) + GETS.replace(
        "class PythonPredictor:", "class PythonPredictor(metaclass=Single):"
    )
    _, peer = serve_models(predictor, single(1))
    assert ask(peer, [[]]) == ["_cortex_default-1-a"]


@pytest.mark.parametrize(
    ("models", "error"),
    [
        (single(1, 2), "version 2 of the model could not be loaded: OSError: no such file: <model>/weights"),
        (settings(a=model(1), _cortex_default=model(2)), "version 2 of the model could not be loaded: OSError"),
        (settings(a=model(1), b=model()), "all versions of model 'b' have been removed"),
    ],
)
def test_a_start_without_a_model_fails_where_it_is_the_first(
    start: Start, tmp_path: Path, models: dict[str, Any], error: str
) -> None:
    bad = ["_cortex_default-1-a", "_cortex_default-2-a"]
    worker = start(GETS, listening=False, models=models, config={"bad": bad})
    worker.on_disk = Disk(tmp_path / "models")
    worker.listen()
    message = worker.failed()
    assert message["stage"] == "models"
    assert error in message["error"]
    assert ("raise OSError" in message["traceback"]) == ("OSError" in error)


def test_load_model_that_returns_nothing(serve_models: ServeModels) -> None:
    predictor = """
    class PythonPredictor:
        def __init__(self, config, python_client): self.client = python_client
        def load_model(self, model_path): pass
        def predict(self): return self.client.get_model()
    """
    worker, peer = serve_models(predictor, single(1, strict=False))
    assert "load_model returned None" in worker.event(MODEL)["error"]
    peer.request(kind=0)
    assert peer.answer().report["code"] == "MODEL_LOAD_FAILED"


def test_a_forked_process_has_the_models_that_are_in_memory(serve_models: ServeModels) -> None:
    predictor = predictor_with(
        """
        import os
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                text = self.client.get_model("a")
                self.client.get_model("b")
            except Exception as error:
                text += f" {type(error).__name__}"
            os.write(writing, text.encode())
            os._exit(0)
        os.waitpid(child, 0)
        return os.read(reading, 100).decode()
        """
    )
    _, peer = serve_models(predictor, settings(a=model(1), b=model(2)) | {"dynamic": False, "catalog": {"a": model(1)}})
    peer.request(b"1")
    assert peer.answer().body == b"a-1-a ModelNotFound"


def change(worker: Worker, removed: list[str] | None = None, **changed: Any) -> None:
    worker.control.send(MODELS, json.dumps({"changed": changed, "removed": removed or []}).encode())
