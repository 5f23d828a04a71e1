"""I3: a fault repeated a hundred times leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from blackbox.conditions import eventually
from blackbox.http import exchange
from blackbox.processes import MEASURABLE, Footprint
from blackbox.project import API, write
from blackbox.server import Server

PREDICTORS = Path(__file__).parent / "predictors"
SLACK = 12 * 2**20
"""Bytes: what allocators may round up to."""

pytestmark = pytest.mark.skipif(not MEASURABLE, reason="needs /proc")


@pytest.fixture(scope="module")
def apis(server: Server, short_folder: Path) -> None:
    """An echo, and one that fails on demand."""
    files: dict[str, str | bytes] = {name: (PREDICTORS / name).read_text() for name in ("echo.py", "faulty.py")}
    server.deploy(
        write(short_folder / "growth", files, API("growth-echo", "echo.py"), API("growth-faulty", "faulty.py"))
    )


def gone_client(server: Server, _: requests.Session) -> None:
    """Leaves before its answer."""
    exchange(server.port, b"POST /growth-echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n[1", within=0.001)


FAULTS: dict[str, Any] = {
    "malformed JSON": lambda server, session: session.post(
        server.url("growth-echo"), data=b"{", headers={"Content-Type": "application/json"}, timeout=20
    ),
    "malformed HTTP": lambda server, _: exchange(server.port, b"NONSENSE\r\n\r\n"),
    "unknown API": lambda server, session: session.post(server.url("no-such-api"), timeout=20),
    "spooled body": lambda server, session: session.post(server.url("growth-echo"), data=bytes(2**21), timeout=20),
    "upload": lambda server, session: session.post(
        server.url("growth-echo"), files={"file": ("f.bin", bytes(300_000))}, timeout=20
    ),
    "predictor that raises": lambda server, session: session.post(
        server.url("growth-faulty?fault=ValueError"), json={}, timeout=20
    ),
    "half a body": gone_client,
}


@pytest.mark.usefixtures("apis")
@pytest.mark.parametrize("name", FAULTS)
def test_I3_a_hundred_repeats_grow_nothing(server: Server, name: str) -> None:
    def repeat(times: int) -> None:
        with requests.Session() as session:
            for _ in range(times):
                try:
                    FAULTS[name](server, session)
                except OSError:
                    continue

    worker = server.post("growth-echo?answer=pid", json={}).json()
    faulty = server.post("growth-faulty", json={}).json()["pid"]
    pids = {"server": server.pid, "echo": worker, "faulty": faulty}
    repeat(100)  # caches and pools fill
    before = {role: Footprint.of(pid) for role, pid in pids.items()}
    repeat(100)

    def has_not_grown() -> bool:
        for role, pid in pids.items():
            now = Footprint.of(pid)
            assert now.descriptors <= before[role].descriptors + 2, (role, before[role], now)
            assert now.resident <= before[role].resident + SLACK, (role, before[role], now)
        assert server.metrics("cortex_in_flight_requests") == 0
        assert server.metrics("cortex_queued_requests") == 0
        return True

    eventually(has_not_grown, "descriptors and memory are as before", within=10)
    spool = [file for file in server.home.rglob("*") if file.is_file() and "spool" in file.parts]
    assert spool == []
