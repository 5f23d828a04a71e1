"""What the machine does to a server: the G rows of the fault list that no other file has."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from blackbox.attacks import request
from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.invariants import Invariants
from blackbox.processes import MEASURABLE
from blackbox.project import API, write
from blackbox.server import Server

PREDICTORS = Path(__file__).parent / "predictors"
GATED = """
import os
import time

class PythonPredictor:
    def predict(self, payload):
        while payload and not os.path.exists(payload):
            time.sleep(0.02)
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


def answers_after(server: Server, pause: float, patience: float) -> set[int] | None:
    """What clients are answered whose bytes come while the server stands still; 0 for those that are not.

    Nil where this machine was so slow that somebody's time was over before.
    """
    body = "Content-Type: application/json", "Content-Length: 1"
    whole = request(*body, target="/suspended", body=b"0")
    head = request(*body, "Expect: 100-continue", target="/suspended")
    with ExitStack() as stack:
        # More than it hears of at once: when it goes on, the time of most is over before their bytes are read.
        begun, idle, new = (
            [stack.enter_context(RawConnection(server.port, within=60)) for _ in range(60)] for _ in range(3)
        )
        start = time.monotonic()
        for client in begun:
            client.send(head)
        for client in idle:
            client.send(whole)
        for client in new:
            client.send(whole[:10])
        waits = [next(client.pieces(), b"").startswith(b"HTTP/1.1 100 ") for client in begun]
        waits += [(answer := client.answer()) is not None and answer.status == 200 for client in idle]
        with suspended(server.pid):
            if time.monotonic() - start > patience:
                return None
            assert all(waits), "the server waits for bodies, and for further requests"
            for client in begun:
                client.send(b"0")
            for client in idle:
                client.send(whole)
            for client in new:
                client.send(whole[10:])
            time.sleep(pause)  # the pause is the fault itself
        answers = [client.answer() for client in [*begun, *idle, *new]]
        return {answer.status if answer else 0 for answer in answers}


@pytest.mark.skipif(not MEASURABLE, reason="needs /proc")
def test_G08_a_server_that_was_suspended_goes_on_where_it_was(binary: Path, folder: Path) -> None:
    """Time that it did not live through must not let its clients' requests or connections end together."""
    patience = 3
    limits = {f"CORTEX_{what}_TIMEOUT": f"{patience}s" for what in ("BODY", "HEADER", "IDLE")}
    gate = folder / "gate"
    with Server(binary, folder / "home", None, **limits) as server, ThreadPoolExecutor(8) as pool:
        server.deploy(
            write(folder / "project", {"predictor.py": GATED}, API("suspended", predictor={"threads_per_process": 9}))
        )
        invariants = Invariants(server, lambda: server.post("suspended", json=0))
        running = [pool.submit(server.post, "suspended", json=str(gate)) for _ in range(8)]
        eventually(lambda: server.metrics("cortex_in_flight_requests", api="suspended") == 8, "all run")
        while (answers := answers_after(server, patience + 1, patience)) is None:
            pass
        gate.touch()
        assert answers == {200}
        assert {future.result().status_code for future in running} == {200}
        invariants.goes_on()
