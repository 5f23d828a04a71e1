"""Connections, output, drain, and the ways a process ends."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from server import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from server import Peer, Worker

    Serve = Callable[..., tuple[Worker, Peer]]
    Start = Callable[..., Worker]

ECHO = "class PythonPredictor:\n    def predict(self, payload): return payload\n"


def test_hello_and_ready(start: Start) -> None:
    worker = start(
        """
        import os, threading
        class PythonPredictor:
            def predict(self):
                return ["CORTEX_WORKER_TOKEN" in os.environ, os.getcwd(), threading.current_thread().name]
            def post_predict(self, payload): pass
        """,
        threads=2,
    )
    assert worker.control.hello == {
        "protocol": 1, "worker": "w1", "token": "secret", "role": "control", "slot": 0, "capabilities": [],
    }  # fmt: skip
    ready = worker.ready()
    assert (ready["pid"], ready["arguments"], ready["post_predict"]) == (worker.process.pid, ["payload"], True)
    assert ready["signature"] == ["PythonPredictor()", "predict()", "post_predict(payload)"]
    peers = {peer.hello["slot"]: peer for peer in (worker.accept(), worker.accept())}
    assert sorted(peers) == [0, 1]
    assert {peer.hello["role"] for peer in peers.values()} == {"slot"}
    for slot, peer in peers.items():
        peer.request(b"1")
        assert json.loads(peer.answer().body) == [False, str(worker.project), f"slot-{slot}"]


def test_several_requests_in_one_write_are_answered_in_order(serve: Serve) -> None:
    _, peer = serve(ECHO)
    peer.hold()
    for number in range(500):
        peer.request(json.dumps("x" * number).encode(), number=number)
    peer.release()
    for number in range(500):
        answer = peer.answer(number)
        assert answer.body == b"x" * number


def test_a_frame_that_comes_byte_by_byte_and_a_large_one(serve: Serve) -> None:
    _, peer = serve(ECHO, inline_limit=1 << 24)
    peer.hold()
    peer.request(b'"slow"')
    held, peer._held = peer._held, None
    assert held is not None
    for byte in held:
        peer.socket.sendall(bytes([byte]))
    assert peer.answer().body == b"slow"
    for size in (3_000_000, 10, 70_000, 5):
        peer.request(json.dumps("y" * size).encode())
        assert peer.answer().body == b"y" * size


@pytest.mark.parametrize(
    "bad", [b"\xff\xff\xff\xff" + bytes(12), b"\0\0\0\0\x7f" + bytes(11), b"\x01\0\0\0\x01" + bytes(12)]
)
def test_a_bad_frame_closes_the_slot_which_opens_again(serve: Serve, bad: bytes) -> None:
    worker, peer = serve(ECHO)
    peer.socket.sendall(bad)
    assert peer.read() is None
    again = worker.accept()
    assert (again.hello["role"], again.hello["slot"]) == ("slot", 0)
    again.request(b"1")
    assert again.answer().body == b"1"


def test_a_slot_that_the_server_closes_midway_opens_again(serve: Serve) -> None:
    worker, peer = serve(
        """
        class PythonPredictor:
            def predict(self, payload, context):
                if payload: print("started", input_gone(context))
                return 1
        def input_gone(context):
            while not context.cancelled: pass
            return True
        """
    )
    peer.request(b"true", number=3)
    peer.close()
    worker.control.send(0x31, number=3)
    again = worker.accept()
    again.request(b"false", number=4)
    assert again.answer(4).body == b"1"


def test_the_end_of_control_ends_the_process_while_predict_runs(serve: Serve) -> None:
    worker, peer = serve(
        "class PythonPredictor:\n    def predict(self):\n        print('in')\n        while True: pass\n"
    )
    peer.request(kind=0)
    worker.log("in")
    worker.control.socket.shutdown(2)
    assert worker.process.wait(2) == 1


@pytest.mark.parametrize("way", ["drain", "term"])
def test_draining_answers_what_was_handed_over(serve: Serve, way: str) -> None:
    worker, peer = serve(
        """
        import atexit, threading
        atexit.register(print, "at exit")
        class PythonPredictor:
            def predict(self, payload, context):
                if payload == 0:
                    print("waiting")
                    while not context.cancelled: pass
                return payload
        threading.Thread(target=threading.Event().wait).start()  # never ends, and must not hold the exit
        """,
        threads=2,
    )
    other = worker.accept()
    for number in range(3):
        peer.request(b"%d" % number, number=number)
    worker.log("waiting")
    if way == "drain":
        worker.control.send(0x32)
    else:
        worker.process.send_signal(signal.SIGINT)
        worker.process.send_signal(signal.SIGTERM)
    assert other.read() is None
    worker.control.send(0x31, number=0)
    assert [peer.answer(number).body for number in range(3)] == [b"0", b"1", b"2"]
    assert peer.read() is None
    assert worker.process.wait(TIMEOUT) == 0
    worker.log("at exit")


def test_printed_lines_carry_their_request(serve: Serve) -> None:
    worker, peer = serve(
        """
        import logging, os, sys, multiprocessing
        print("at import")
        logging.basicConfig(level="INFO", stream=sys.stderr)
        class PythonPredictor:
            def predict(self, payload):
                print("one\\ntwo", end="")
                logging.info("logged")
                print("\\x1b[31m \\udcff {\\"level\\": \\"error\\"}", "x" * 100_000)
                os.write(1, b"raw bytes")
                sys.stdout.buffer.write(b" buffered")
                sys.stdout.buffer.flush()
                sys.stdout.close()
                print("after close")
                child = multiprocessing.get_context("fork").Process(target=print, args=("from a child",))
                child.start(); child.join()
                sys.stdout = None
                print("nowhere")
                return child.exitcode
        """
    )
    assert worker.log("at import") == {"level": "info", "message": "at import", "stream": "stdout"}
    peer.request(b"1", request_id="abc")
    assert peer.answer().body == b"0"
    assert worker.log("after close")["request_id"] == "abc"
    assert worker.log("logged") == {
        "level": "info", "message": "INFO:root:logged", "request_id": "abc", "stream": "stderr",
    }  # fmt: skip
    messages = [record["message"] for record in worker.logs if record["stream"] == "stdout"]
    assert messages[1] == "one"
    assert messages[2].startswith('two\x1b[31m \ufffd {"level": "error"} xxx')
    assert len(messages[2]) < 66_000
    output = worker.close_process()
    assert b"raw bytes buffered" in output
    assert b"from a child" in output


def test_lines_of_tasks_and_threads(serve: Serve) -> None:
    worker, peer = serve(
        """
        import asyncio, contextvars, threading
        class PythonPredictor:
            kept = []
            async def predict(self, payload):
                print("in the coroutine")
                async def side(): print("in a task")
                await asyncio.gather(side(), asyncio.get_running_loop().run_in_executor(None, print, "in a pool"))
                context = contextvars.copy_context()
                await asyncio.get_running_loop().run_in_executor(None, context.run, print, "with the context")
                thread = threading.Thread(target=print, args=("in a thread",))
                thread.start(); thread.join()
                async def later():
                    await asyncio.sleep(0)
                    print("of the first" if payload == 1 else "of the second")
                self.kept.append(asyncio.ensure_future(later()))
                if payload == 2: await asyncio.gather(*self.kept)
        """
    )
    for number in (1, 2):
        peer.request(str(number).encode(), number=number, request_id=f"r-{number}")
        assert peer.answer(number).kind == "answer"
    worker.log("of the second")
    assert worker.log("of the first")["request_id"] == "r-1"
    assert worker.log("of the second")["request_id"] == "r-2"
    for text in ("in the coroutine", "in a task", "with the context"):
        assert worker.log(text)["request_id"] == "r-1", text
    for text in ("in a thread", "in a pool"):
        assert "request_id" not in worker.log(text), text


def test_lines_are_cut_at_64_kib_of_utf8(serve: Serve) -> None:
    worker, peer = serve(
        """
        class PythonPredictor:
            def predict(self, payload):
                print("a" + "é" * 40_000)
                print("b" * 65_536)
                print("c" * 100_000_000)
        """
    )
    peer.request(b"1")
    peer.answer()
    worker.log("ccc")
    lines = {record["message"][0]: record["message"] for record in worker.logs}
    assert lines["a"] == "a" + "é" * 32_767 + " … (cut at 64 KiB)"
    assert lines["b"] == "b" * 65_536
    assert lines["c"] == "c" * 65_536 + " … (cut at 64 KiB)"


def test_printing_never_waits_for_the_server(start: Start) -> None:
    worker = start(
        """
        class PythonPredictor:
            def predict(self, payload):
                if payload == 2: print("marker")
                else:
                    for i in range(200_000): print("line", i, "x" * 100)
                return "done"
        """,
        listening=False,
    )
    peer = worker.accept()
    peer.request(b"1")
    assert peer.answer().body == b"done"
    worker.listen()
    record = worker.log("log records were dropped")
    assert record["level"] == "warning"
    peer.request(b"2", number=2)
    worker.log("marker")
    messages = [record["message"] for record in worker.logs]
    sent = sum(message.startswith("line") for message in messages)
    dropped = sum(int(message.split()[0]) for message in messages if message.endswith("nobody read them"))
    assert dropped > 0
    assert sent + dropped == 200_000


def test_a_child_forked_in_predict_answers_nobody(serve: Serve) -> None:
    worker, peer = serve(
        """
        import os, signal, time
        class PythonPredictor:
            def predict(self, payload):
                ready, tell = os.pipe()
                child = os.fork()
                if child == 0:
                    os.write(tell, b"x")
                    if payload == 2: time.sleep(60)
                    return "from the child"
                os.read(ready, 1)
                if payload == 2: os.kill(child, signal.SIGTERM)
                return os.waitpid(child, 0)[1]
        """
    )
    peer.request(b"1")
    assert peer.answer().body == b"0"
    peer.request(b"2", number=2)
    assert peer.answer(2).body == b"%d" % signal.SIGTERM
    assert worker.process.poll() is None


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_other_processes_find_what_the_predictors_file_defines(serve: Serve, method: str) -> None:
    worker, peer = serve(
        """
        import multiprocessing, os
        def run(queue): queue.put([os.getpid(), __name__, type(PythonPredictor()).__name__])
        class PythonPredictor:
            def predict(self, payload):
                context = multiprocessing.get_context(payload)
                queue = context.SimpleQueue()
                child = context.Process(target=run, args=(queue,))
                child.start()
                child.join()
                return [child.pid, child.exitcode, None if child.exitcode else queue.get()]
        """,
    )
    peer.request(json.dumps(method).encode())
    pid, status, told = json.loads(peer.answer().body)
    assert (status, told) == (0, [pid, "cortex_predictor", "PythonPredictor"])
    assert pid != worker.process.pid


def test_what_user_code_may_do_to_its_process(serve: Serve) -> None:
    worker, peer = serve(
        """
        import os, signal, sys
        class PythonPredictor:
            def predict(self, payload):
                os.chdir("/")
                sys.setrecursionlimit(200)
                return 1
        """
    )
    peer.request(b"1")
    assert peer.answer().body == b"1"
    peer.close()
    again = worker.accept()
    again.request(b"[" * 400 + b"]" * 400, number=2)
    # Since 3.12 the limit is one of Python's own calls, and the parser of JSON is C.
    answer = again.answer(2)
    expected = (200, None) if sys.version_info >= (3, 12) else (400, "MALFORMED_JSON")
    assert (answer.status, answer.report.get("code")) == expected
    again.request(b"1", number=3)
    assert again.answer(3).body == b"1"


def test_a_server_that_refuses_a_worker_ends_it(start: Start) -> None:
    worker = start(ECHO, protocol=2)
    assert worker.process.wait(TIMEOUT) == 1
    assert b"this worker speaks 1" in worker.close_process()
