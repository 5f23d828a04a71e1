"""What the machine does to a server: the G rows of the fault list that no other file has."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from blackbox.attacks import good
from blackbox.http import RawConnection
from blackbox.invariants import Invariants
from blackbox.processes import MEASURABLE
from blackbox.project import API, write
from blackbox.server import Server

PREDICTORS = Path(__file__).parent / "predictors"
SLOW = """
import time

class PythonPredictor:
    def predict(self, payload):
        time.sleep(payload)
        return payload
"""


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """The process stands still meanwhile, as with a machine that sleeps."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.skipif(not MEASURABLE, reason="needs /proc")
def test_G08_a_server_that_was_suspended_goes_on_where_it_was(binary: Path, folder: Path) -> None:
    """Time that it did not live through must not let its clients' requests or connections end together."""
    pause = 2.0
    patience = {"CORTEX_BODY_TIMEOUT": "1s", "CORTEX_HEADER_TIMEOUT": "1s"}
    with Server(binary, folder / "home", None, **patience) as server, ThreadPoolExecutor(20) as pool:
        server.deploy(
            write(folder / "project", {"predictor.py": SLOW}, API("suspended", predictor={"threads_per_process": 8}))
        )
        invariants = Invariants(server, lambda: server.post("suspended", json=0))
        with RawConnection(server.port) as idle:
            idle.send(good().replace(b"/http-echo", b"/suspended").replace(b"{}", b"0 "))
            answer = idle.answer()
            assert answer is not None and answer.status == 200, answer
            running = [pool.submit(server.post, "suspended", json=0.5) for _ in range(8)]
            with suspended(server.pid):
                time.sleep(pause)  # the pause is the fault itself
                late = [pool.submit(server.post, "suspended", json=0) for _ in range(8)]
            answers: list[requests.Response] = [future.result() for future in [*running, *late]]
            assert {answer.status_code for answer in answers} == {200}
            # A connection that waited for its next request is still there.
            idle.send(good().replace(b"/http-echo", b"/suspended").replace(b"{}", b"0 "))
            answer = idle.answer()
            assert answer is not None and answer.status == 200, answer
        invariants.goes_on()
