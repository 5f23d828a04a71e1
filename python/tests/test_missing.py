"""What a worker tells of modules that are not there."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from catalogs import Disk, single
from cortex_worker.missing import missing_module

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from server import Peer, Worker

    Start = Callable[..., Worker]
    Serve = Callable[..., tuple[Worker, Peer]]

FAILED, MISSING = 0x21, 0x26
IDLE = "class PythonPredictor:\n    def predict(self, payload): pass\n"


def raised(code: str) -> BaseException:
    try:
        exec(code, {})
    except BaseException as error:
        return error
    raise AssertionError(f"{code!r} raises nothing")


@pytest.mark.parametrize(
    ("code", "module"),
    [
        ("import absent", "absent"),
        ("import absent.part", "absent"),
        ("import json.absent", "json.absent"),
        ("__import__('pickle').loads(b'cabsent.part\\nthing\\n.')", "absent"),
        ("try:\n  import absent\nexcept ImportError as e:\n  raise RuntimeError('install it') from e", "absent"),
        ("try:\n  import absent\nexcept ImportError:\n  raise ImportError('install it')", "absent"),
        ("try:\n  import absent\nexcept ImportError:\n  raise ImportError('install it') from None", None),
        ("try:\n  import absent\nexcept ImportError:\n  {}['key']", None),
        ("raise ModuleNotFoundError('no name')", None),
        ("raise ModuleNotFoundError('odd', name=3)", None),
        ("raise ModuleNotFoundError('long', name='x' * 300)", None),
        ("from json import absent", None),
        ("1 / 0", None),
        ("e = ValueError()\ne.__cause__ = f = KeyError()\nf.__cause__ = e\nraise e", None),
    ],
)
def test_which_module_an_error_is_about(code: str, module: str | None) -> None:
    assert missing_module(raised(code)) == module


def test_a_package_of_the_users_own_is_not_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").touch()
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert missing_module(raised("import mine.absent")) is None
    assert missing_module(raised("import data.absent")) is None
    assert missing_module(raised("import absent")) == "absent"


@pytest.mark.parametrize(
    ("predictor", "stage"),
    [
        ("import absent", "import"),
        (IDLE + "    def __init__(self, config):\n        import absent", "constructor"),
    ],
)
def test_it_is_told_before_the_failed_start(start: Start, predictor: str, stage: str) -> None:
    worker = start(predictor, listening=False)
    frames = []
    while (frame := worker.control.read()) is not None:
        frames.append((frame.kind, json.loads(frame.body)))
    told = [(kind, body) for kind, body in frames if kind in (MISSING, FAILED)]
    assert [kind for kind, _ in told] == [MISSING, FAILED]
    assert told[0][1] == {"module": "absent", "stage": stage}
    assert told[1][1]["stage"] == stage


def test_it_is_told_where_a_request_finds_it_out(serve: Serve) -> None:
    worker, peer = serve(
        """
        class PythonPredictor:
            def predict(self, payload):
                __import__(payload)
            def post_predict(self, response):
                import late
        """
    )
    for number, module in enumerate(["absent", "absent", "other"], 1):
        peer.request(json.dumps(module).encode(), number=number)
        assert peer.answer(number).report["code"] == "PREDICTOR_FAILED"
    # Once for each: the server has heard it.
    assert [worker.event(MISSING)["module"] for _ in range(2)] == ["absent", "other"]
    peer.request(b'"json"', number=4)
    assert peer.answer(4).status == 200
    assert worker.event(MISSING) == {"module": "late", "stage": "request"}


def test_it_is_told_where_a_stream_breaks_off(serve: Serve) -> None:
    worker, peer = serve(
        """
        from starlette.responses import StreamingResponse
        def rows():
            yield "first"
            import absent
        class PythonPredictor:
            def predict(self):
                return StreamingResponse(rows())
        """
    )
    peer.request(kind=0)
    assert peer.answer().broken
    assert worker.event(MISSING) == {"module": "absent", "stage": "request"}


def test_an_import_that_the_predictor_catches_is_not_told(serve: Serve) -> None:
    worker, peer = serve(
        """
        class PythonPredictor:
            def predict(self, payload):
                try:
                    import absent
                except ImportError:
                    return "without"
        """
    )
    peer.request(b"1")
    assert peer.answer().body == b"without"
    assert MISSING not in worker._events


@pytest.mark.parametrize("strict", [True, False])
def test_it_is_told_where_a_model_cannot_be_loaded(start: Start, tmp_path: Path, strict: bool) -> None:
    predictor = """
    class PythonPredictor:
        def __init__(self, config, python_client):
            self.client = python_client
        def load_model(self, model_path):
            return __import__("pickle").loads(b"cabsent.part\\nthing\\n.")
        def predict(self, payload):
            return self.client.get_model()
    """
    models: dict[str, Any] = single(1, strict=strict)
    worker = start(predictor, listening=False, models=models)
    worker.on_disk = Disk(tmp_path / "models")
    worker.listen()
    assert worker.event(MISSING) == {"module": "absent", "stage": "models"}
    if strict:
        assert worker.failed()["stage"] == "models"
    else:
        worker.ready()
