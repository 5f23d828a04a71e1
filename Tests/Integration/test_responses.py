"""What `predict` may return, as Starlette has it: C05 of the fault list, and rule 4 of the seed document."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.project import API, write
from blackbox.server import Server

PREDICTOR = """
import asyncio
import pathlib
import random

from starlette.background import BackgroundTask
from starlette.responses import (
    FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
)


def wait_for(gate):
    with open(gate) as pipe:
        return pipe.read()


class PythonPredictor:
    def predict(self, payload):
        kind = payload["kind"]
        if kind == "json":
            return JSONResponse({"made": True}, status_code=201, headers={"x-own": "1"})
        if kind == "html":
            return HTMLResponse("<p>é</p>")
        if kind == "redirect":
            return RedirectResponse("/elsewhere", status_code=303)
        if kind == "no content":
            return Response(status_code=204)
        if kind == "cookies":
            response = PlainTextResponse("cookies")
            response.set_cookie("a", "1")
            response.set_cookie("b", "2", httponly=True)
            response.raw_headers.append((b"x-twice", b"1"))
            response.raw_headers.append((b"x-twice", b"2"))
            return response
        if kind == "file":
            path = pathlib.Path(payload["path"])
            path.write_bytes(bytes(range(256)) * payload["times"])
            return FileResponse(str(path), media_type="application/x-test", filename="answer.bin")
        if kind == "gated stream":
            def chunks():
                yield b"first,"
                yield wait_for(payload["gate"])
                yield "last"
            return StreamingResponse(chunks(), media_type="text/event-stream")
        if kind == "async stream":
            async def numbers():
                for n in range(5):
                    await asyncio.sleep(0)
                    yield f"{n},"
            return StreamingResponse(numbers(), media_type="text/plain")
        if kind == "broken stream":
            def broken():
                yield b"x" * 10
                raise ValueError("midway s3cret")
            return StreamingResponse(broken())
        if kind == "endless stream":
            def endless():
                try:
                    while True:
                        yield b"x" * 65536
                finally:
                    pathlib.Path(payload["left"]).write_text("left")
            return StreamingResponse(endless())
        if kind == "background":
            def task():
                pathlib.Path(payload["done"]).write_text(wait_for(payload["gate"]))
            return JSONResponse({"answered": True}, background=BackgroundTask(task))
        if kind == "large":
            return random.Random(payload["size"]).randbytes(payload["size"])
        return kind
"""

API_NAME = "responses"


@pytest.fixture(scope="module", autouse=True)
def responses(server: Server, short_folder: Path) -> None:
    """The API under test: three threads, so that one gate blocks one answer only."""
    api = API(API_NAME, predictor={"threads_per_process": 3})
    server.deploy(write(short_folder / API_NAME, {"predictor.py": PREDICTOR}, api))


def ask(server: Server, kind: str, stream: bool = False, **more: object) -> requests.Response:
    """Asks for one kind of answer."""
    return server.post(API_NAME, json={"kind": kind, **more}, stream=stream, allow_redirects=False)


def test_a_json_response_keeps_status_and_headers(server: Server) -> None:
    answer = ask(server, "json")
    assert (answer.status_code, answer.content, answer.headers["x-own"]) == (201, b'{"made":true}', "1")
    assert answer.headers["content-type"] == "application/json"


def test_html_is_html(server: Server) -> None:
    answer = ask(server, "html")
    assert (answer.text, answer.headers["content-type"]) == ("<p>é</p>", "text/html; charset=utf-8")


def test_a_redirect_is_passed_on(server: Server) -> None:
    answer = ask(server, "redirect")
    assert (answer.status_code, answer.headers["location"]) == (303, "/elsewhere")


def test_no_content_has_none(server: Server) -> None:
    answer = ask(server, "no content")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "transfer-encoding" not in answer.headers


def test_cookies_and_repeated_headers_all_arrive(server: Server) -> None:
    answer = ask(server, "cookies")
    values = answer.raw.headers
    assert [cookie.split(";")[0] for cookie in values.getlist("set-cookie")] == ["a=1", "b=2"]
    assert values.getlist("x-twice") == ["1", "2"]


@pytest.mark.parametrize("times", [1, 20_000])
def test_a_file_is_sent_and_stays(server: Server, folder: Path, times: int) -> None:
    path = folder / "answer.bin"
    answer = ask(server, "file", path=str(path), times=times)
    assert answer.content == bytes(range(256)) * times
    assert answer.headers["content-type"] == "application/x-test"
    assert answer.headers["content-length"] == str(256 * times)
    assert "answer.bin" in answer.headers["content-disposition"]
    assert path.exists()


def test_chunks_arrive_as_they_are_produced(server: Server, folder: Path) -> None:
    gate = folder / "gate"
    os.mkfifo(gate)
    with ask(server, "gated stream", stream=True, gate=str(gate)) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        pieces = answer.iter_content(chunk_size=None)
        assert next(pieces) == b"first,"  # the generator waits at the gate, so nothing more can have been produced
        gate.write_text("second,")
        assert b"".join(pieces) == b"second,last"


def test_an_asynchronous_stream_is_driven(server: Server) -> None:
    assert ask(server, "async stream").text == "0,1,2,3,4,"


def test_a_stream_that_breaks_is_not_mistaken_for_a_whole_one(server: Server) -> None:
    answer = ask(server, "broken stream", stream=True)
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        assert answer.content is None
    server.await_log(API_NAME, "midway s3cret")
    assert ask(server, "ok").text == "ok"


def test_a_client_that_leaves_ends_the_stream(server: Server, folder: Path) -> None:
    left = folder / "left"
    with ask(server, "endless stream", stream=True, left=str(left)) as answer:
        assert answer.raw.read(100_000)
    eventually(left.exists, "the generator was closed")
    assert ask(server, "ok").text == "ok"


def test_a_background_task_runs_after_the_answer(server: Server, folder: Path) -> None:
    gate, done = folder / "gate", folder / "done"
    os.mkfifo(gate)
    answer = ask(server, "background", gate=str(gate), done=str(done))
    assert answer.json() == {"answered": True}
    assert not done.exists()
    gate.write_text("now")
    eventually(lambda: done.exists() and done.read_text() == "now", "the task ran")


@pytest.mark.parametrize("size", [70_000, 1_000_000, 2**20 - 1, 2**20, 2**20 + 1, 20_000_000])
def test_a_large_answer_is_whole(server: Server, size: int) -> None:
    answer = ask(server, "large", size=size)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.content == random.Random(size).randbytes(size)


def test_many_clients_get_each_their_own_answer(server: Server) -> None:
    def client(number: int) -> None:
        with requests.Session() as session:
            for turn in range(50):
                text = f"{number}-{turn}-" + "z" * (turn * 100)
                answer = session.post(server.url(API_NAME), json={"kind": text}, timeout=60)
                if answer.text != text:
                    wrong.append((text, answer.text))

    wrong: list[tuple[str, str]] = []
    clients = [threading.Thread(target=client, args=(number,)) for number in range(16)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    assert wrong == []


def test_get_gives_the_summary(server: Server) -> None:
    answer = server.get(API_NAME)
    assert answer.status_code == 200
    assert isinstance(answer.json()["message"], str)


def test_every_answer_has_an_id_and_its_times(server: Server) -> None:
    answer = ask(server, "ok")
    assert answer.headers["x-request-id"]
    assert {part.split(";")[0].strip() for part in answer.headers["server-timing"].split(",")} >= {
        "queue",
        "predict",
        "total",
    }
