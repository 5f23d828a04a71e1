"""Connections: sent-ahead requests, when they end, how many there may be. Rows A17, A19, A20 and G07."""

from __future__ import annotations

import json
import os
import resource
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from blackbox.conditions import eventually
from blackbox.http import RawConnection
from blackbox.invariants import Invariants
from blackbox.limits import connections, request
from blackbox.project import API, write
from blackbox.server import Server


@pytest.fixture
def invariants(limits: Server) -> Invariants:
    """Checks that the server still answers."""
    return Invariants(limits, lambda: limits.post("length", data=b"abc"))


def test_A17_pipelined_requests_are_answered_in_order(limits: Server, invariants: Invariants) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(b"".join(request("/length", f"Content-Length: {n}", body=bytes(n)) for n in range(100)))
        lengths = []
        reader = connection.socket.makefile("rb")
        for _ in range(100):
            assert b" 200 " in reader.readline()
            size = 0
            while (line := reader.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            lengths.append(json.loads(reader.read(size))["length"])
    assert lengths == list(range(100))
    invariants.goes_on()


@pytest.mark.parametrize(
    ("version", "headers", "closes"),
    [
        ("1.0", [], True),
        ("1.0", ["Connection: keep-alive"], False),
        ("1.1", ["Connection: close"], True),
        ("1.1", [], False),
    ],
)
def test_A19_a_connection_ends_when_its_client_wants(
    limits: Server, version: str, headers: list[str], closes: bool
) -> None:
    with RawConnection(limits.port) as connection:
        data = request("/length", "Content-Length: 1", *headers, body=b"a", version=version)
        connection.send(data)
        answer = connection.answer()
        assert answer is not None and answer.status == 200
        assert ("close" in answer.values("connection")) == closes
        if closes:
            assert connection.is_closed()
        else:
            connection.send(data)
            again = connection.answer()
            assert again is not None and again.status == 200


def test_A20_one_connection_too_many_is_told_so(binary: Path, folder: Path) -> None:
    with Server(binary, folder / "home", CORTEX_MAX_CONNECTIONS="20") as server, ExitStack() as stack:
        eventually(lambda: connections(server) == 0, "no connection is left")
        held = [stack.enter_context(RawConnection(server.port)) for _ in range(20)]
        for connection in held:
            connection.send(request("/livez", method="GET"))
            answer = connection.answer()
            assert answer is not None and answer.status == 200
        with RawConnection(server.port) as connection:
            connection.send(request("/livez", method="GET"))
            answer = connection.answer()
            assert answer is not None and answer.status == 503, answer
            assert "CORTEX_MAX_CONNECTIONS" in json.loads(answer.body)["error"]
            assert connection.is_closed()
        held[0].socket.close()
        eventually(lambda: server.get("/livez").status_code == 200, "there is room again")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs prlimit")
def test_G07_no_more_descriptors_pause_the_port_and_no_more(own_server: Server, folder: Path) -> None:
    server = own_server
    source: dict[str, str | bytes] = {
        "predictor.py": """
            class PythonPredictor:
                def predict(self, payload):
                    return len(payload)
        """
    }
    server.deploy(write(folder / "project", source, API("few")))
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir(f"/proc/{server.pid}/fd"))
    with ExitStack() as stack:
        first = stack.enter_context(RawConnection(server.port))
        ask = request("/few", "Content-Length: 3", body=b"abc")
        first.send(ask)
        assert first.answer() is not None
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used + 8, hard))
        for _ in range(40):
            stack.enter_context(RawConnection(server.port))
        begun, busy = time.monotonic(), cpu(server.pid)
        # Who is connected is served meanwhile.
        while time.monotonic() - begun < 2:
            first.send(ask)
            answer = first.answer()
            assert answer is not None and answer.status == 200
            time.sleep(0.1)
        assert cpu(server.pid) - busy < 1, "the server spins"
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert server.post("few", data=b"abc").text == "3"


def cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
