"""What classes are accepted, what they get, and what is said of the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from server import Peer, Worker

    Serve = Callable[..., tuple[Worker, Peer]]
    Start = Callable[..., Worker]

SEEN = "return sorted(k for k in locals() if k != 'self')"


@pytest.mark.parametrize(
    ("signature", "seen", "told"),
    [
        ("self", [], []),
        ("self, payload", ["payload"], ["payload"]),
        ("self, headers, query_params, payload", ["headers", "payload", "query_params"], None),
        ("self, *, context, payload", ["context", "payload"], ["payload", "context"]),
        ("self, payload=1, *args, batch_id, **kwargs", ["args", "batch_id", "kwargs", "payload"], ["payload"]),
        ("self, *args, **kwargs", ["args", "kwargs"], []),
    ],
)
def test_predict_gets_what_it_names(start: Start, signature: str, seen: list[str], told: list[str] | None) -> None:
    worker = start(f"class PythonPredictor:\n    def predict({signature}): {SEEN}\n")
    assert worker.ready()["arguments"] == (told if told is not None else ["payload", "query_params", "headers"])
    peer = worker.accept()
    peer.request(b"1", query="", headers=[])
    assert json.loads(peer.answer().body) == seen


def test_the_constructor_gets_what_it_names(serve: Serve) -> None:
    worker, peer = serve(
        """
        import threading
        class Base:
            def __init__(self, *, job_spec, config, python_client=None):
                self.built = [threading.current_thread().name, job_spec, config, python_client]
                print("building", end="")
            def predict(self): return self.built
        Alias = type("Alias", (Base,), {})
        PythonPredictor = Alias
        """,
        config={"a": [1]},
    )
    peer.request(kind=0)
    assert json.loads(peer.answer().body) == ["slot-0", None, {"a": [1]}, None]
    assert "request_id" not in worker.log("building")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("x = 1", "predictor.py: PythonPredictor class is not defined"),
        ("class ONNXPredictor: pass", "there is a ONNXPredictor: set predictor.type"),
        ("PythonPredictor = 3", "is a int, not a class"),
        ("class PythonPredictor: pass", 'required method "predict" is not defined'),
        ("class PythonPredictor:\n    predict = 3", '"predict" is defined, but is not a method'),
        ("class PythonPredictor:\n    def predict(payload): pass", '"self" must be the first argument'),
        (
            "class PythonPredictor:\n    def predict(self, data=1): pass",
            '"data" is not a supported argument; supported:',
        ),
        ("class PythonPredictor:\n    def predict(self, payload, /): pass", '"payload" is positional-only'),
        ("class PythonPredictor:\n    def __init__(self): pass", '"config" is a required argument'),
        ("class PythonPredictor:\n    def __init__(self, **k): pass", '"config" is a required argument'),
        ("class PythonPredictor:\n    def __init__(self, config, python_client): pass", "no models are configured"),
        ("class PythonPredictor:\n    def predict(self): pass\n    def post_predict(self, result): pass", '"result"'),
        ("class PythonPredictor:\n    def predict(self): pass\n    def load_model(self): pass", '"model_path"'),
        ("class PythonPredictor:\n    def predict(self): pass\n    def on_job_complete(self, a): pass", '"a"'),
    ],
)
def test_broken_contracts(start: Start, body: str, error: str) -> None:
    message = start(body).failed()
    assert message["stage"] == "contract"
    assert message["error"].startswith("predictor.py: ")
    assert error in message["error"]


MODELS: dict[str, Any] = {
    "single": True, "dynamic": False, "strict": True, "cache_size": 1, "cache_memory": None, "catalog": {}
}  # fmt: skip
PREDICT = "\n    def predict(self): return sorted(vars(self))"


@pytest.mark.parametrize(
    ("kind", "models", "body", "error"),
    [
        ("python", MODELS, "    def __init__(self, config, python_client): pass" + PREDICT, '"load_model" is not'),
        ("python", MODELS, "    def __init__(self, config): pass\n    def load_model(self, model_path): pass" + PREDICT,
         '"python_client" is a required argument, but was not provided; it is needed since models are configured'),
        ("python", MODELS, "    def load_model(self, model_path): pass" + PREDICT, 'must take "python_client"'),
        ("onnx", None, "    def __init__(self, onnx_client, config): pass" + PREDICT, "no models are configured"),
        ("onnx", MODELS, "    def __init__(self, config): pass" + PREDICT, '"onnx_client" is a required argument'),
        ("onnx", MODELS, "    def __init__(self, onnx_client): pass" + PREDICT, '"config" is a required argument'),
        ("onnx", MODELS, "    def __init__(self, onnx_client, config, python_client): pass" + PREDICT,
         '"python_client" is not a supported argument; supported: config, onnx_client'),
        ("tensorflow", MODELS, "    def __init__(self, config): pass" + PREDICT, '"tensorflow_client" is a required'),
        ("tensorflow", None, "    def __init__(self, tensorflow_client, config): pass" + PREDICT, "no models"),
    ],
)  # fmt: skip
def test_broken_contracts_with_models(start: Start, kind: str, models: Any, body: str, error: str) -> None:
    name = {"python": "PythonPredictor", "onnx": "ONNXPredictor", "tensorflow": "TensorFlowPredictor"}[kind]
    message = start(f"class {name}:\n{body}", predictor_type=kind, models=models).failed()
    assert message["stage"] == "contract"
    assert error in message["error"]


@pytest.mark.parametrize(
    "body",
    [
        # `load_model` is the models' own here: with one of the predictor's there is nothing to check.
        "class ONNXPredictor:\n    def __init__(self, onnx_client, config, job_spec=1): self.client = onnx_client\n"
        "    def load_model(self, anything, at_all): pass",
        "class Base:\n    def __init__(self, *, config, onnx_client): self.client = onnx_client\n"
        "class ONNXPredictor(Base):\n    pass",
    ],
)
def test_an_onnx_predictor_gets_its_client(serve: Serve, body: str) -> None:
    _, peer = serve(body + PREDICT, predictor_type="onnx", models=MODELS)
    peer.request(kind=0)
    assert json.loads(peer.answer().body) == ["client"]


@pytest.mark.parametrize(
    ("body", "stage", "error"),
    [
        ("import no_such_module", "import", "predictor.py: ModuleNotFoundError: No module named 'no_such_module'"),
        ("def broken(:", "import", "predictor.py: SyntaxError: "),
        ("raise SystemExit(3)", "import", "predictor.py: SystemExit: 3"),
        ("class PythonPredictor:\n  def predict(self): 0\n  def __init__(self, config): config['a']", "constructor",
         "predictor.py: __init__: KeyError: 'a'"),
        ("class PythonPredictor:\n  def predict(self): 0\n  def __init__(self, config): raise SystemExit",
         "constructor", "predictor.py: __init__: SystemExit"),
    ],
)  # fmt: skip
def test_failures_at_start(start: Start, body: str, stage: str, error: str) -> None:
    message = start(body).failed()
    assert message["stage"] == stage
    assert message["error"].startswith(error)
    lines = message["traceback"].splitlines()
    if len(lines) > 1:
        assert "predictor.py" in lines[1] or lines[0].startswith("  File")
    assert "cortex_worker" not in message["traceback"]


def test_missing_files_and_unknown_endings(start: Start) -> None:
    assert "no such file" in start("", predictor_path="other.py").failed()["error"]


def test_a_pickled_predictor(start: Start) -> None:
    import dill

    namespace: dict[str, object] = {}
    exec("class PythonPredictor:\n    def predict(self, payload): return payload + 1", namespace)
    pickled = dill.dumps({"PythonPredictor": namespace["PythonPredictor"]})
    worker = start("x = 1", predictor_path="p.pickle", files={"p.pickle": pickled})
    worker.ready()
    peer = worker.accept()
    peer.request(b"1")
    assert peer.answer().body == b"2"


def test_the_users_folders_come_first(start: Start) -> None:
    files = {f"{name}.py": b"NAME = 'root'" for name in ("wire", "loop", "helper", "socket", "struct")}
    worker = start(
        """
        import sys
        import helper, loop, wire
        class PythonPredictor:
            def predict(self): return [helper.NAME, wire.NAME, sys.path[:2]]
        """,
        python_path="src/lib",
        files={**files, "src/lib/helper.py": b"NAME = 'ours'"},
    )
    worker.ready()
    peer = worker.accept()
    peer.request(kind=0)
    answer = json.loads(peer.answer().body)
    assert answer == ["ours", "root", [str(worker.project / "src/lib"), str(worker.project)]]
