"""Streamed answers, background work, cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from server import Peer, Worker

    Serve = Callable[..., tuple[Worker, Peer]]

STREAMS = """
import asyncio, threading, time
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from sse_starlette.sse import EventSourceResponse

def sync(n):
    for i in range(n):
        yield f"{threading.current_thread().name} {i};"
async def asynchronous(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield b"%d;" % i
def breaks(after):
    for i in range(after): yield b"x"
    raise ValueError("midway")
def refuses():
    raise HTTPException(409, "no")
    yield
def endless(closed):
    try:
        while True: yield b"x" * 1000
    finally:
        print("generator closed")
async def waits():
    try:
        yield b"first"
        await asyncio.Event().wait()
    finally:
        print("waiting stream closed")
async def events():
    for i in range(2): yield {"data": str(i)}

class Own(Response):
    async def __call__(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 202, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": b"own"})
        print("own goes on")
class Silent(Response):
    async def __call__(self, scope, receive, send): pass

async def later(text): print(text, "on a loop", asyncio.get_running_loop() is not None)
def many():
    tasks = BackgroundTasks()
    tasks.add_task(print, "task one", threading.current_thread().name)
    tasks.add_task(later, "task two")
    return tasks

CASES = {
    "sync": lambda: StreamingResponse(sync(3), media_type="text/event-stream"),
    "async": lambda: StreamingResponse(asynchronous(3), status_code=201),
    "list": lambda: StreamingResponse(["a", "", b"b", memoryview(b"c")]),
    "empty": lambda: StreamingResponse(iter(())), "large": lambda: StreamingResponse([b"z" * 20_000_000]),
    "midway": lambda: StreamingResponse(breaks(2), background=BackgroundTask(print, "must not run")),
    "at_once": lambda: StreamingResponse(breaks(0)), "refuses": lambda: StreamingResponse(refuses()),
    "endless": lambda: StreamingResponse(endless(1)), "waits": lambda: StreamingResponse(waits()),
    "sse": lambda: EventSourceResponse(events()), "own": lambda: Own(), "silent": lambda: Silent(),
    "background": lambda: JSONResponse(1, background=many()),
    "broken_background": lambda: JSONResponse(1, background=BackgroundTask(lambda: 1 / 0)),
}

class PythonPredictor:
    def predict(self, payload): return CASES[payload]()
"""


@pytest.fixture
def streams(serve: Serve) -> tuple[Worker, Peer]:
    return serve(STREAMS)


def ask(peer: Peer, case: str, number: int = 1) -> None:
    peer.request(f'"{case}"'.encode(), number=number)


def test_a_sync_stream_runs_in_the_slots_thread(streams: tuple[Worker, Peer]) -> None:
    _, peer = streams
    ask(peer, "sync")
    answer = peer.answer()
    assert (answer.kind, answer.status, answer.type) == ("stream", 200, "text/event-stream; charset=utf-8")
    assert answer.chunks == [b"slot-0 0;", b"slot-0 1;", b"slot-0 2;"]
    assert (answer.broken, answer.flags) == (False, 0)


def test_other_streams(streams: tuple[Worker, Peer]) -> None:
    _, peer = streams
    ask(peer, "async")
    answer = peer.answer()
    assert (answer.status, answer.chunks) == (201, [b"0;", b"1;", b"2;"])
    ask(peer, "list")
    assert peer.answer().chunks == [b"a", b"b", b"c"]
    ask(peer, "empty")
    answer = peer.answer()
    assert (answer.kind, answer.chunks, answer.broken) == ("stream", [], False)
    ask(peer, "large")
    assert peer.answer().body == b"z" * 20_000_000


def test_a_stream_that_raises_midway_is_broken_off(streams: tuple[Worker, Peer]) -> None:
    worker, peer = streams
    ask(peer, "midway")
    answer = peer.answer()
    assert (answer.chunks, answer.broken) == ([b"x", b"x"], True)
    assert worker.log("ValueError: midway")["request_id"] == "r-1"
    ask(peer, "at_once")
    answer = peer.answer()
    assert (answer.kind, answer.status) == ("failure", 500)
    ask(peer, "refuses")
    assert peer.answer().status == 409
    assert not any("must not run" in record["message"] for record in worker.logs)


@pytest.mark.parametrize(("case", "log"), [("endless", "generator closed"), ("waits", "waiting stream closed")])
def test_a_cancelled_stream_ends(streams: tuple[Worker, Peer], case: str, log: str) -> None:
    worker, peer = streams
    ask(peer, case, number=7)
    assert peer.expect().kind == 0x12
    worker.control.send(0x31, number=7)
    while (frame := peer.expect()).kind == 0x13:
        pass
    assert (frame.kind, frame.code) == (0x14, 1)
    worker.log(log)
    ask(peer, "own", number=8)
    assert peer.answer(8).body == b"own"


def test_responses_with_a_call_of_their_own(streams: tuple[Worker, Peer]) -> None:
    worker, peer = streams
    ask(peer, "sse")
    answer = peer.answer()
    assert answer.body.replace(b"\r\n", b"\n") == b"data: 0\n\ndata: 1\n\n"
    ask(peer, "own")
    answer = peer.answer()
    assert (answer.kind, answer.status, answer.header("x-own"), answer.body) == ("answer", 202, ["1"], b"own")
    assert worker.log("own goes on")["request_id"] == "r-1"
    ask(peer, "silent")
    assert peer.answer().report["code"] == "UNSERIALIZABLE_RESULT"


def test_background_tasks_run_after_the_answer(streams: tuple[Worker, Peer]) -> None:
    worker, peer = streams
    ask(peer, "background")
    assert peer.answer().idle
    worker.log("task one slot-0")
    worker.log("task two on a loop True")
    ask(peer, "broken_background")
    assert peer.answer().idle
    assert worker.log("ZeroDivisionError")["level"] == "error"


def test_post_predict_gets_the_raw_result_after_the_answer(serve: Serve) -> None:
    worker, peer = serve(
        """
        import threading
        go = threading.Event()
        class PythonPredictor:
            def predict(self, payload): return {"n": payload}
            def post_predict(self, *, response, payload, context):
                while not context.cancelled: pass
                print("post", response, payload, context.request_id)
                raise KeyError("post")
        """
    )
    peer.request(b"5", request_id="r-5")
    answer = peer.answer(idle=False)
    assert (answer.body, answer.flags) == (b'{"n": 5}', 1)
    # Only now is the work after the answer let go on: the answer did not wait for it.
    worker.control.send(0x31, number=1)
    assert peer.expect().kind == 0x16
    assert worker.log("post {'n': 5} 5 r-5")["request_id"] == "r-5"
    assert worker.log("KeyError: 'post'")["level"] == "error"


def test_skipping(serve: Serve) -> None:
    worker, peer = serve(
        """
        class PythonPredictor:
            def predict(self, payload, context):
                if payload == "wait":
                    print("waiting")
                    while not context.cancelled: pass
                return [context.deadline, context.cancelled]
        """
    )
    peer.request(b'"wait"', number=1)
    peer.request(b"0", number=2)
    peer.request(b"0", number=3, deadline=1)
    peer.request(b"0", number=4)
    peer.request(b"0", number=5, deadline=2**63)
    worker.log("waiting")
    worker.control.send(0x31, number=2)
    worker.control.send(0x31, number=1)
    assert peer.answer(1).body == b"[null, true]"
    assert (peer.answer(2).kind, peer.answer(3).status) == ("skipped", 1)
    assert peer.answer(4).body == b"[null, false]"
    assert peer.answer(5).body == b"[%s, false]" % repr(2**63 / 1e9).encode()
