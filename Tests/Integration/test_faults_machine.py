"""What the machine does to a server: the G rows of the fault list that no other file has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from blackbox.attacks import request
from blackbox.clock import COMPILER, Clock
from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.invariants import Invariants
from blackbox.load import Load
from blackbox.processes import MEASURABLE
from blackbox.project import API, write
from blackbox.server import Cortex, Server

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


def ahead(server: Server, id_: str) -> float:
    """By how many hours the access log's line of a request is ahead of this machine's clock."""
    (line,) = eventually(lambda: server.access_lines(id_), "its line is written")
    written = datetime.fromisoformat(line["ts"].replace("Z", "+00:00"))
    return (written - datetime.now(timezone.utc)).total_seconds() / 3600


def asked(connection: RawConnection, id_: str) -> int | None:
    """The status of one more request on a connection."""
    connection.send(
        request(
            "Content-Type: application/json", f"X-Request-ID: {id_}", "Content-Length: 1", target="/jumps", body=b"0"
        )
    )
    answer = connection.answer()
    return answer.status if answer else None


@pytest.mark.skipif(sys.platform != "linux" or COMPILER is None, reason="needs LD_PRELOAD and a C compiler")
def test_G08_a_clock_that_jumps_ends_nothing(binary: Path, folder: Path) -> None:
    """An hour ahead, then an hour back: what runs, waits or is idle goes on, and so does what is done at times."""
    clock, gate, never = Clock(folder), folder / "gate", folder / "never"
    settings = {**clock.environment, "CORTEX_MODEL_POLL_INTERVAL": "500ms"}
    with Server(binary, folder / "home", None, **settings) as server, ThreadPoolExecutor(3) as pool:
        source = (PREDICTORS / "models.py").read_text()
        models = {"predictor.py": source, "models/1/value": "1", ".cortexignore": "models/\n"}
        following = write(folder / "following", models, API("follows", predictor={"model_path": "models"}))
        server.deploy(following)
        server.deploy(
            write(folder / "project", {"predictor.py": GATED}, API("jumps", predictor={"threads_per_process": 6}))
        )
        invariants = Invariants(server, lambda: server.post("jumps", json=0))
        running = [pool.submit(server.post, "jumps", json=str(gate)) for _ in range(3)]
        eventually(lambda: server.metrics("cortex_in_flight_requests", api="jumps") == 3, "they run")
        with ExitStack() as stack:
            idle = stack.enter_context(RawConnection(server.port))
            assert asked(idle, "before") == 200
            assert abs(ahead(server, "before")) < 0.5
            load = stack.enter_context(Load(server.url("follows")))
            for version, hours in enumerate((1, -1), 2):
                begun = stack.enter_context(RawConnection(server.port))
                begun.send(request("Content-Type: application/json", "Content-Length: 3", target="/jumps", body=b" "))
                clock.set(hours * 3600)
                assert asked(idle, f"jump-{version}") == 200
                assert ahead(server, f"jump-{version}") == pytest.approx(hours, abs=0.5), "the server has seen it"
                begun.send(b" 0")
                answer = begun.answer()
                assert answer is not None and answer.status == 200, answer
                late = server.post("jumps", json=str(never), headers={"X-Request-Timeout": "300ms"})
                assert (late.status_code, late.json()["code"]) == (504, "DEADLINE_EXCEEDED")
                assert server.get("/readyz").status_code == 200
                (following / "models" / str(version)).mkdir()
                (following / "models" / str(version) / "value").write_text(str(version))
                load.await_body(str(version))
                invariants.goes_on()
        assert load.failures() == []
        gate.touch()
        never.touch()
        assert [future.result().status_code for future in running] == [200] * 3
        assert server.metrics("cortex_worker_restarts_total") == 0
        for api in ("jumps", "follows"):
            assert server.json("get", api)[0]["status"]["status_code"] == "status_live"


WITHOUT_NETWORK = """
import fcntl, os, socket, struct, sys
# An interface that is up, as `ip link set lo up` has it.
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 1))
try:
    socket.getaddrinfo("example.org", 80)
except OSError:
    os.execvp(sys.argv[1], sys.argv[1:])
sys.exit("a name was found, so there is a network")
"""

LOCAL_LIFE = """
set -euo pipefail
"$CORTEX" server start --wait
port=$("$CORTEX" server status -o json | python3 -c 'import json, sys; print(json.load(sys.stdin)["port"])')
post() { curl -sS --fail-with-body "http://localhost:$port/$1" -H "Content-Type: application/json" -d 1; }
post tells > "$OUT/before"
post calls > "$OUT/chained"
sed -i s/first/second/ predictor.py
"$CORTEX" deploy --wait
post tells > "$OUT/after"
"$CORTEX" get tells -o json > "$OUT/get"
"$CORTEX" server stop
"""

CHAINED = """
import requests

class PythonPredictor:
    def predict(self, payload):
        return requests.post("http://api-tells:8888/predict", json=payload).text + "!"
"""


@pytest.fixture
def alone() -> list[str]:
    """What a command begins with that has no network: no route, and nobody to ask for a name."""
    prefix = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if sys.platform != "linux" or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("a network of one's own cannot be had here")
    return [*prefix, sys.executable, "-c", WITHOUT_NETWORK]


def test_G11_what_is_local_needs_no_network(cortex: Cortex, folder: Path, alone: list[str]) -> None:
    """No name can be looked up, nothing but loopback is there: it starts, answers, chains and deploys."""
    tells = "class PythonPredictor:\n    def predict(self):\n        return 'first'\n"
    files = {"predictor.py": tells, "calls.py": CHAINED, "requirements.txt": "requests\n"}
    project = write(folder / "project", files, API("tells"), API("calls", "calls.py"))
    cortex.ok("server", "start", "--wait")
    cortex.ok("deploy", "--wait", cwd=project)
    cortex.ok("server", "stop")
    done = subprocess.run(
        [*alone, "bash", "-c", LOCAL_LIFE],
        cwd=project,
        env={**cortex.environment, "CORTEX": str(cortex.binary), "OUT": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done

    def said(name: str) -> Any:
        return (folder / name).read_text()

    assert (said("before"), said("chained"), said("after")) == ("first", "first!", "second")
    assert json.loads(said("get"))[0]["status"]["status_code"] == "status_live"
