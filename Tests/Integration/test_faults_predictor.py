"""Predictors that misbehave: rows C01, C02, C06, C07 and C10 of the fault list."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.gates import open_gate
from blackbox.invariants import Invariants
from blackbox.project import API, write
from blackbox.server import Server

FAULTY = (Path(__file__).parent / "predictors" / "faulty.py").read_text()


@pytest.fixture(scope="module")
def faulty(server: Server, short_folder: Path) -> str:
    """The name of an API that fails on demand."""
    name = "faulty"
    server.deploy(write(short_folder / name, {"predictor.py": FAULTY}, API(name)))
    return name


@pytest.fixture
def invariants(server: Server, faulty: str) -> Invariants:
    """Checks that the same API answers the next request."""
    return Invariants(server, lambda: server.post(faulty, json={}))


@pytest.mark.parametrize(
    "fault", ["ValueError", "KeyError", "SystemExit", "KeyboardInterrupt", "RecursionError", "OwnException"]
)
def test_C01_what_predict_raises_stays_in_the_log(
    server: Server, faulty: str, invariants: Invariants, fault: str
) -> None:
    outcome = invariants.hold(500, lambda: server.post(f"{faulty}?fault={fault}", json={}), api=faulty)
    body = json.loads(outcome.body)
    assert body["code"] == "PREDICTOR_FAILED"
    assert "s3cret" not in outcome.body.decode() and "Traceback" not in outcome.body.decode()
    server.await_log(faulty, fault)
    log = server.logs(faulty)
    assert "predictor.py" in log and "Traceback" in log


def test_C01_out_of_memory_ends_the_worker_and_no_request_more(
    server: Server, faulty: str, invariants: Invariants
) -> None:
    before = server.post(faulty, json={}).json()["pid"]
    outcome = invariants.hold(507, lambda: server.post(f"{faulty}?fault=MemoryError", json={}), api=faulty)
    assert json.loads(outcome.body)["code"] == "OUT_OF_MEMORY"
    server.await_end(before)
    assert server.post(faulty, json={}).json()["pid"] != before


@pytest.mark.parametrize("fault", ["unserialisable", "generator"])
def test_C01_a_result_that_is_none_is_an_error_that_says_what_is_allowed(
    server: Server, faulty: str, invariants: Invariants, fault: str
) -> None:
    outcome = invariants.hold(500, lambda: server.post(f"{faulty}?fault={fault}", json={}), api=faulty)
    assert json.loads(outcome.body)["code"] == "UNSERIALIZABLE_RESULT"


def test_C02_an_http_exception_keeps_status_detail_and_headers(
    server: Server, faulty: str, invariants: Invariants
) -> None:
    outcome = invariants.hold(418, lambda: server.post(f"{faulty}?fault=HTTPException", json={}), api=faulty)
    assert json.loads(outcome.body)["error"] == "short and stout"
    assert outcome.headers["x-pot"] == "tea"


def test_C02_a_response_with_an_error_status_is_the_users_own(
    server: Server, faulty: str, invariants: Invariants
) -> None:
    answer = server.post(f"{faulty}?fault=Response", json={})
    assert (answer.status_code, answer.text) == (400, "no")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    invariants.goes_on()


@pytest.mark.parametrize("fault", ["exit", "kill", "segfault"])
def test_C10_a_worker_that_dies_fails_its_request_and_no_other(
    server: Server, faulty: str, invariants: Invariants, fault: str
) -> None:
    before = server.post(faulty, json={}).json()["pid"]
    outcome = invariants.hold(502, lambda: server.post(f"{faulty}?fault={fault}", json={}), api=faulty)
    assert json.loads(outcome.body)["code"] == "WORKER_CRASHED"
    assert server.post(faulty, json={}).json()["pid"] != before
    assert server.metrics("cortex_worker_restarts_total", api=faulty) >= 1


def test_C10_nothing_is_sent_of_an_answer_whose_worker_dies_midway(server: Server, folder: Path) -> None:
    # An API of its own: a few crashes are a crash loop, and have requests refused.
    faulty = "faulty-midway"
    server.deploy(write(folder / faulty, {"predictor.py": FAULTY}, API(faulty)))
    invariants = Invariants(server, lambda: server.post(faulty, json={}))
    outcome = invariants.hold(502, lambda: server.post(f"{faulty}?fault=half-answer", json={}), api=faulty)
    assert json.loads(outcome.body)["code"] == "WORKER_CRASHED"


def test_C10_requests_that_wait_behind_a_crash_are_answered(server: Server, folder: Path) -> None:
    # An API of its own: the one that other tests crashed is in a crash loop, and refuses requests.
    faulty = "faulty-once"
    server.deploy(write(folder / faulty, {"predictor.py": FAULTY}, API(faulty)))
    invariants = Invariants(server, lambda: server.post(faulty, json={}))
    answers: list[requests.Response] = []
    senders = [threading.Thread(target=lambda: answers.append(server.post(faulty, json={}))) for _ in range(8)]
    for sender in senders[:4]:
        sender.start()
    crash = server.post(f"{faulty}?fault=exit", json={})
    for sender in senders[4:]:
        sender.start()
    for sender in senders:
        sender.join()
    assert crash.status_code == 502
    assert [answer.status_code for answer in answers] == [200] * 8
    invariants.goes_on()


POST_PREDICT = """
import os
import time

class PythonPredictor:
    finished = 0.0

    def predict(self, payload):
        return {"started": time.monotonic(), "before": self.finished}

    def post_predict(self, payload, response):
        assert response["started"] > 0
        if payload.get("raise"):
            raise ValueError("after the s3cret answer")
        if payload.get("gate"):
            with open(payload["gate"]) as gate:  # a pipe: opens when the test lets it
                gate.read()
        self.finished = time.monotonic()
"""


@pytest.fixture(scope="module")
def afterwards(server: Server, short_folder: Path) -> str:
    """The name of an API with a `post_predict`."""
    name = "afterwards"
    server.deploy(write(short_folder / name, {"predictor.py": POST_PREDICT}, API(name)))
    return name


def test_C06_a_post_predict_that_raises_is_logged_and_hurts_nobody(
    server: Server, afterwards: str, invariants: Invariants
) -> None:
    outcome = invariants.hold(200, lambda: server.post(afterwards, json={"raise": True}), api=afterwards)
    assert json.loads(outcome.body)["started"] > 0
    server.await_log(afterwards, "after the s3cret answer")
    assert server.post(afterwards, json={}).status_code == 200


def test_C06_post_predict_holds_its_thread_and_not_its_client(
    server: Server, afterwards: str, invariants: Invariants, folder: Path
) -> None:
    gate = folder / "gate"
    os.mkfifo(gate)
    first = server.post(afterwards, json={"gate": str(gate)})
    assert first.status_code == 200, "the answer came while post_predict waits"
    second: list[Any] = []
    sender = threading.Thread(target=lambda: second.append(server.post(afterwards, json={}).json()))
    sender.start()
    eventually(lambda: server.metrics("cortex_queued_requests", api=afterwards) >= 1, "the second request waits")
    open_gate(gate, "open")
    sender.join()
    assert first.json()["started"] < second[0]["before"] < second[0]["started"]
    invariants.goes_on()


GOOD = """
class PythonPredictor:
    def __init__(self, config):
        self.answer = config["answer"]

    def predict(self, payload):
        return self.answer
"""

BAD_STARTS = {
    "raises": ("raise ValueError('no such weights')", "no such weights"),
    "exits": ("import sys; sys.exit(3)", "SystemExit|exit"),
    "os-exits": ("import os; os._exit(3)", "3"),
    "segfaults": ("import ctypes; ctypes.string_at(0)", "(?i)segmentation|SIGSEGV|signal"),
    "runs-out": ("raise MemoryError()", "(?i)memory"),
}


@pytest.mark.parametrize("name", BAD_STARTS)
def test_C07_a_constructor_that_fails_leaves_the_old_version_serving(
    server: Server, invariants: Invariants, folder: Path, name: str
) -> None:
    api = f"start-{name}"
    code, reason = BAD_STARTS[name]
    project = write(folder, {"predictor.py": GOOD}, API(api, predictor={"config": {"answer": 1}}))
    server.deploy(project)
    source = f"class PythonPredictor:\n    def __init__(self, config):\n        {code}\n\n"
    write(project, {"predictor.py": source + "    def predict(self):\n        return 2\n"})
    done = server.run("deploy", "--wait", cwd=project)
    assert done.returncode == 1, done
    assert server.post(api, json={}).json() == 1
    status = server.json("get", api)[0]
    assert status["status"]["status_code"] == "status_rollout_failed", status
    server.await_log(api, reason)
    invariants.goes_on()
    server.ok("delete", api)


def test_C07_a_constructor_that_never_returns_is_not_ready_in_time(
    server: Server, invariants: Invariants, folder: Path
) -> None:
    api = "start-sleeps"
    source = GOOD.replace('config["answer"]', "__import__('time').sleep(600)")
    project = write(folder, {"predictor.py": source}, API(api, predictor={"config": {"answer": 1}}))
    done = server.run("deploy", "--wait", "--timeout", "3s", cwd=project)
    assert done.returncode == 3, done
    answer = server.post(api, json={})
    assert answer.status_code == 503 and answer.json()["code"], answer.text
    assert int(answer.headers["retry-after"]) >= 1
    invariants.goes_on()
    server.ok("delete", api)


def test_C07_a_constructor_may_print_as_much_as_it_likes(server: Server, invariants: Invariants, folder: Path) -> None:
    api = "start-prints"
    source = GOOD.replace("        self.answer", "        print('x' * 79 + '\\n', end='') \n        self.answer", 1)
    source = source.replace("print(", "[print(").replace("end='')", "end='') for _ in range(800_000)]")
    server.deploy(write(folder, {"predictor.py": source}, API(api, predictor={"config": {"answer": 1}})))
    assert server.post(api, json={}).json() == 1
    size = sum(file.stat().st_size for file in server.home.rglob("*") if file.is_file() and "log" in str(file))
    # One log keeps 5 files of 16 MiB; what was printed would take 190 MB.
    assert size < 100_000_000, "logs are bounded"
    invariants.goes_on()
    server.ok("delete", api)


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("import", "import no_such_module_at_all\n", "no_such_module_at_all"),
        ("syntax", "class PythonPredictor:\n    def predict(self, payload:\n", "SyntaxError|was never closed"),
        ("no-class", "class Predictor:\n    pass\n", "PythonPredictor"),
        ("no-predict", "class PythonPredictor:\n    pass\n", "predict"),
        ("no-config", "class PythonPredictor:\n    def __init__(self): pass\n    def predict(self): pass\n", "config"),
    ],
)
def test_a_module_that_is_no_predictor_says_why(
    server: Server, invariants: Invariants, folder: Path, name: str, source: str, reason: str
) -> None:
    api = f"module-{name}"
    done = server.run("deploy", "--wait", cwd=write(folder, {"predictor.py": source}, API(api)))
    assert done.returncode == 1, done
    assert server.json("get", api)[0]["status"]["status_code"] == "status_error"
    line = server.await_log(api, reason)
    assert line
    answer = server.post(api, json={})
    assert answer.status_code == 503 and answer.json()["code"], answer.text
    invariants.goes_on()
    server.ok("delete", api)
