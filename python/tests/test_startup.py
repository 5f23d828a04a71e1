"""What the worker has imported by the time that user code is: its own start must take no time of the user's."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from catalogs import model, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from server import Peer, Worker

    Serve = Callable[..., tuple[Worker, Peer]]
    Start = Callable[..., Worker]

# By how long they take, and what they bring with them: several times what the worker imports of its own.
HEAVY = {
    "anyio", "argparse", "asyncio", "concurrent", "email", "grpc", "http", "httpx", "logging", "multipart",
    "multiprocessing", "numpy", "onnxruntime", "platform", "python_multipart", "shutil", "ssl", "starlette",
    "subprocess", "tempfile", "tensorflow", "urllib", "zipfile",
}  # fmt: skip

CLASSES = {"python": "PythonPredictor", "onnx": "ONNXPredictor", "tensorflow": "TensorFlowPredictor"}

# The first statement, so that nothing of the user's comes before it.
SEEN = "import sys; SEEN = sorted(sys.modules)\n"


def tops(names: list[str]) -> set[str]:
    """The packages that modules belong to."""
    return {name.partition(".")[0] for name in names}


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """What this Python imports on its own, by `.pth` files for one."""
    done = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, check=True)
    return tops(done.stdout.decode().split())


@pytest.mark.parametrize("kind", CLASSES)
def test_nothing_heavy_is_imported_before_user_code(start: Start, bare: set[str], kind: str) -> None:
    # With dynamic loading, so that no model is needed to be ready.
    models: dict[str, Any] | None = settings(dynamic=True, cache_size=1, iris=model(1))
    client = f"{kind}_client"
    source = (
        f"{SEEN}print('seen:', *SEEN)\nclass {CLASSES[kind]}:\n    def __init__(self, config, {client}): pass\n"
        "    def predict(self): pass\n    def load_model(self, model_path): pass\n"
    )
    worker = start(source, predictor_type=kind, models=models)
    seen = tops(worker.log("seen:")["message"].split()[1:])
    assert "cortex_worker" in seen
    assert (seen - bare) & HEAVY == set()


def test_a_predictor_without_models_imports_nothing_of_theirs(serve: Serve, bare: set[str]) -> None:
    _, peer = serve(SEEN + "class PythonPredictor:\n    def predict(self): return SEEN\n")
    peer.request(kind=0)
    seen = json.loads(peer.answer().body)
    assert (tops(seen) - bare) & HEAVY == set()
    # The catalog is part of what the server may say in its welcome.
    ours = {name for name in seen if name.startswith("cortex_worker.models")}
    assert ours == {"cortex_worker.models", "cortex_worker.models.catalog"}


def test_json_in_and_out_imports_nothing_heavy_either(serve: Serve, bare: set[str]) -> None:
    source = """
    import sys
    class PythonPredictor:
        def predict(self, payload, context):
            if payload == "raise": raise ValueError(payload)
            return sorted(sys.modules)
    """
    _, peer = serve(source, threads=2)
    peer.request(b'"raise"', number=1)
    assert peer.answer(1).status == 500
    peer.request(b"{}", number=2)
    assert (tops(json.loads(peer.answer(2).body)) - bare) & HEAVY == set()


def test_what_a_predictor_names_is_there_when_it_is_needed(serve: Serve) -> None:
    source = """
    import sys
    class PythonPredictor:
        def predict(self, payload, headers, query_params):
            return [type(each).__module__ for each in (payload, headers, query_params)]
    """
    _, peer = serve(source)
    peer.request(b"a=1", kind=2, headers=[["x-a", "1"]], query="b=2")
    assert json.loads(peer.answer().body) == ["starlette.datastructures"] * 3


def test_a_command_line_that_no_server_gives_is_refused() -> None:
    command = [sys.executable, "-m", "cortex_worker", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: cortex_worker --socket PATH --worker ID")
