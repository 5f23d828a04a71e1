"""What predict returns, and what goes over the wire: the tables of results and of exceptions."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from server import Peer, Worker

    Serve = Callable[..., tuple[Worker, Peer]]

JSON, TEXT, BYTES = "application/json", "text/plain; charset=utf-8", "application/octet-stream"

# The payload names the case; the predictor makes the result.
RESULTS = """
import http, numpy as np
from starlette.responses import *
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
import fastapi

class Fatal(BaseException): pass
class Unprintable(Exception):
    def __str__(self): raise ValueError("no text")

def cookies():
    response = JSONResponse({"e": 1}, 400, headers={"x-a": "1"})
    response.set_cookie("a", "1"); response.set_cookie("b", "2")
    return response

def circle():
    result = []
    result.append(result)
    return result

def deep():
    result = None
    for _ in range(100_000): result = [result]
    return result

def fail(error): raise error
def recurse(): return recurse()

CASES = {
    "none": lambda: None, "dict": lambda: {"a": [1, 2.5]}, "mixed": lambda: (1, "\\u00e9", {3: None, True: 1.0}),
    "str": lambda: "h\\u00e9llo", "bytes": lambda: b"\\x00\\x01", "np_bytes": lambda: np.bytes_(b"ab"),
    "np_str": lambda: np.str_("ab"), "float64": lambda: np.float64(1.5), "nan": lambda: float("nan"),
    "surrogate": lambda: "a\\ud800b", "pair": lambda: "\\ud83d\\ude00", "surrogate_json": lambda: ["\\ud800"],
    "json_response": cookies, "redirect": lambda: RedirectResponse("/x", status_code=303),
    "html": lambda: HTMLResponse("<b>", status_code=http.HTTPStatus.CREATED), "bare": lambda: Response(b"x"),
    "twice": lambda: [[1]] * 2, "circle": circle, "deep": deep,
    "ndarray": lambda: np.zeros(2), "set": lambda: {1}, "generator": lambda: (x for x in "ab"),
    "bad_status": lambda: Response(b"x", status_code=99), "bytearray": lambda: bytearray(b"x"),
    "split": lambda: Response(b"x", headers={"x-a": "1\\r\\nx-b: 2"}),
    "value_error": lambda: fail(ValueError("secret text")), "exit": lambda: fail(SystemExit(3)),
    "interrupt": lambda: fail(KeyboardInterrupt()), "fatal": lambda: fail(Fatal()), "recursion": recurse,
    "unprintable": lambda: fail(Unprintable()), "generator_exit": lambda: fail(GeneratorExit()),
    "http": lambda: fail(HTTPException(418, "tea")),
    "fastapi": lambda: fail(fastapi.HTTPException(409, {"why": [1]}, headers={"X-Why": "1"})),
    "no_json": lambda: fail(fastapi.HTTPException(409, {"why": float("nan"), "half": "\\ud800"})),
    "memory": lambda: fail(MemoryError()),
}

class PythonPredictor:
    def predict(self, payload):
        return CASES[payload]()
"""


def ask(peer: Peer, case: str) -> Any:
    peer.request(json.dumps(case).encode())
    return peer.answer()


def test_results_become_answers(serve: Serve) -> None:
    _, peer = serve(RESULTS)
    expected = {
        "none": (200, JSON, b"null"),
        "dict": (200, JSON, b'{"a": [1, 2.5]}'),
        "mixed": (200, JSON, b'[1, "\\u00e9", {"3": null, "true": 1.0}]'),
        "str": (200, TEXT, "héllo".encode()),
        "bytes": (200, BYTES, b"\x00\x01"),
        "np_bytes": (200, BYTES, b"ab"),
        "np_str": (200, TEXT, b"ab"),
        "float64": (200, JSON, b"1.5"),
        "nan": (200, JSON, b"NaN"),
        "surrogate": (200, TEXT, "a\ufffdb".encode()),
        "pair": (200, TEXT, "😀".encode()),
        "surrogate_json": (200, JSON, b'["\\ud800"]'),
        "twice": (200, JSON, b"[[1], [1]]"),
        "html": (201, "text/html; charset=utf-8", b"<b>"),
        "bare": (200, "", b"x"),
    }
    for case, (status, kind, body) in expected.items():
        answer = ask(peer, case)
        assert (answer.status, answer.type, answer.body) == (status, kind, body), case


def test_a_response_keeps_its_status_headers_and_cookies(serve: Serve) -> None:
    _, peer = serve(RESULTS)
    answer = ask(peer, "json_response")
    assert (answer.status, answer.body) == (400, b'{"e":1}')
    assert answer.header("x-a") == ["1"]
    assert [cookie.split(";")[0] for cookie in answer.header("set-cookie")] == ["a=1", "b=2"]
    assert answer.header("content-length") == []
    assert ask(peer, "redirect").header("location") == ["/x"]


@pytest.mark.parametrize(
    ("case", "text", "hint"),
    [
        ("ndarray", "numpy.ndarray", "tolist"),
        ("set", "set", "JSON-able"),
        ("generator", "generator", "StreamingResponse"),
        ("bytearray", "bytearray", "bytes"),
        ("circle", "Circular reference", "JSON-able"),
        ("deep", "nested too deeply", "JSON-able"),
        ("bad_status", "99", None),
        ("split", "line break", None),
    ],
)
def test_unusable_results_say_why(serve: Serve, case: str, text: str, hint: str | None) -> None:
    worker, peer = serve(RESULTS)
    answer = ask(peer, case)
    assert (answer.kind, answer.status, answer.report["code"]) == ("failure", 500, "UNSERIALIZABLE_RESULT")
    assert text in answer.report["error"]
    assert hint is None or hint in answer.report["hint"]
    assert worker.log(text)["request_id"] == "r-1"
    assert ask(peer, "none").body == b"null"


def test_exceptions_are_answered_without_their_text_and_the_worker_goes_on(serve: Serve) -> None:
    worker, peer = serve(RESULTS)
    for case, logged in [
        ("value_error", "ValueError: secret text"),
        ("exit", "SystemExit"),
        ("interrupt", "KeyboardInterrupt"),
        ("fatal", "Fatal"),
        ("recursion", "RecursionError"),
        ("generator_exit", "GeneratorExit"),
        ("unprintable", "Unprintable"),
    ]:
        answer = ask(peer, case)
        assert (answer.status, answer.report["code"]) == (500, "PREDICTOR_FAILED"), case
        assert "secret" not in json.dumps(answer.report)
        record = worker.log(logged)
        assert (record["level"], record["request_id"]) == ("error", "r-1")
    first_frame = worker.log("secret text")["message"].splitlines()[1]
    assert "predictor.py" in first_frame
    assert ask(peer, "none").body == b"null"


def test_http_exceptions_keep_status_detail_and_headers(serve: Serve) -> None:
    _, peer = serve(RESULTS)
    answer = ask(peer, "http")
    assert (answer.status, answer.report) == (418, {"code": "HTTP_EXCEPTION", "error": "tea", "detail": "tea"})
    answer = ask(peer, "fastapi")
    assert (answer.status, answer.report["detail"], answer.report["headers"]) == (409, {"why": [1]}, [["x-why", "1"]])
    # What a strict parser of JSON would refuse is told as text.
    assert ask(peer, "no_json").report["detail"] == "{'why': nan, 'half': '\\ud800'}"


def test_out_of_memory_ends_the_worker_and_begins_nothing_else(serve: Serve) -> None:
    worker, peer = serve(RESULTS)
    peer.hold()
    peer.request(b'"memory"', number=1)
    peer.request(b'"none"', number=2)
    peer.release()
    answer = peer.answer(1)
    assert (answer.status, answer.report["code"], answer.flags) == (507, "OUT_OF_MEMORY", 2)
    assert peer.read() is None
    assert worker.process.wait(20) == 242


def test_bodies_of_all_sizes_come_and_go_whole_one_after_the_other(serve: Serve) -> None:
    # Around the sizes from which bodies are sent in parts, and buffers kept or given back.
    _, slot = serve("class PythonPredictor:\n    def predict(self, payload): return payload\n")
    sizes = [1, 64 << 10, (64 << 10) + 1, 1 << 20, 1 << 20, 3, 1 << 20, (256 << 10) + 1, 256 << 10, 0, 700_000]
    for number, size in enumerate(sizes, 1):
        body = bytes([number]) * size
        slot.request(body, kind=4, number=number)
        assert slot.answer(number).body == body


def test_a_large_answer_goes_by_a_spool_file(serve: Serve) -> None:
    worker, peer = serve(
        "class PythonPredictor:\n    def predict(self, payload): return b'x' * payload", inline_limit=100
    )
    peer.request(b"100")
    assert peer.answer().form == 0
    peer.hold()
    peer.request(b"101")
    peer.request(b"1", number=2)  # handed over before the first is taken
    peer.release()
    answer = peer.answer()
    assert (answer.form, answer.body) == (2, b"x" * 101)
    assert Path(answer.path).parent == worker.spool
    assert os.stat(answer.path).st_mode & 0o777 == 0o600
    assert peer.answer(2).body == b"x"


def test_a_file_response_goes_by_its_path(serve: Serve) -> None:
    worker, peer = serve(
        """
        from starlette.responses import FileResponse
        class PythonPredictor:
            def predict(self, payload):
                return FileResponse(payload, filename="größe.csv")
        """
    )
    (worker.project / "a.csv").write_bytes(b"1,2")
    peer.request(b'"a.csv"')
    answer = peer.answer()
    assert (answer.form, answer.path, answer.body) == (1, str(worker.project / "a.csv"), b"1,2")
    assert "gr%C3%B6%C3%9Fe.csv" in answer.header("content-disposition")[0]
    assert answer.header("etag")
    assert answer.header("last-modified")
    peer.request(b'"missing.csv"')
    assert (peer.answer().report["code"], (worker.project / "a.csv").exists()) == ("UNSERIALIZABLE_RESULT", True)


def test_async_predictors_run_on_a_loop_of_their_thread(serve: Serve) -> None:
    _, peer = serve(
        """
        import asyncio, threading
        class PythonPredictor:
            async def predict(self, payload):
                await asyncio.sleep(0)
                async with asyncio.timeout(5):
                    return [threading.current_thread().name, payload]
            async def post_predict(self, response):
                await asyncio.sleep(0)
                print("after", response)
        """
        if hasattr(__import__("asyncio"), "timeout")
        else "class PythonPredictor:\n    async def predict(self, payload): return ['slot-0', payload]\n"
    )
    for number in range(3):
        peer.request(b"%d" % number, number=number)
        assert json.loads(peer.answer(number).body) == ["slot-0", number]
