"""The gateway's limits of bodies, forms and JSON, and the options that set them."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from blackbox.http import Answer, RawConnection, exchange
from blackbox.invariants import Invariants
from blackbox.limits import OWN, chunks, project, request, spooled
from blackbox.processes import MEASURABLE, Footprint
from blackbox.project import API, write
from blackbox.server import Cortex, Server


@pytest.fixture
def invariants(limits: Server) -> Invariants:
    """Checks that the server still answers."""
    return Invariants(limits, lambda: limits.post("length", data=b"abc"))


# Bodies


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_an_api_has_a_body_limit_of_its_own(limits: Server, invariants: Invariants, framing: str) -> None:
    def send(size: int) -> Answer | None:
        if framing == "length":
            return exchange(limits.port, request("/narrow", f"Content-Length: {size}", body=bytes(size)))
        return exchange(limits.port, request("/narrow", "Transfer-Encoding: chunked", body=chunks(bytes(size))))

    assert json.loads(invariants.hold(200, lambda: send(OWN), api="narrow").body)["length"] == OWN
    outcome = invariants.hold(413, lambda: send(OWN + 1), api="narrow")
    assert "networking.max_body_size of narrow" in json.loads(outcome.body)["error"]
    assert limits.post("length", data=bytes(OWN + 1)).status_code == 200


def test_a_new_body_limit_is_in_force_at_once_and_restarts_no_worker(limits: Server, folder: Path) -> None:
    server = limits
    source: dict[str, str | bytes] = {
        "predictor.py": """
            import os
            class PythonPredictor:
                def predict(self, payload):
                    return os.getpid()
        """
    }
    place = folder / "live-project"
    server.deploy(write(place, source, API("live", sections={"networking": {"max_body_size": 10}})))
    assert server.post("live", data=bytes(11)).status_code == 413
    before = server.post("live", data=bytes(10)).text
    server.deploy(write(place, {}, API("live", sections={"networking": {"max_body_size": 11}})))
    assert server.post("live", data=bytes(11)).text == before


def test_a_refused_chunked_body_is_not_kept(limits: Server, invariants: Invariants) -> None:
    with RawConnection(limits.port) as connection:
        connection.send(request("/nowhere", "Transfer-Encoding: chunked"))
        connection.send(b"40000\r\n" + bytes(0x40000))
        answer = connection.answer()
        assert answer is not None and answer.status == 404, answer
        assert connection.is_closed()
    assert spooled(limits) == []
    invariants.goes_on()


# Forms and JSON


def test_forms_and_json_have_limits_that_the_server_sets(limits: Server, invariants: Invariants) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert limits.post("length", data="a=1&b=2&c=3", headers=form).status_code in (200, 500)
    outcome = invariants.hold(400, lambda: limits.post("length", data="a=1&b=2&c=3&d=4", headers=form), "length")
    assert b"CORTEX_MAX_FORM_PARTS" in outcome.body
    parts = {f"f{number}": ("a.txt", b"x") for number in range(4)}
    outcome = invariants.hold(400, lambda: limits.post("length", files=parts), "length")
    assert b"CORTEX_MAX_FORM_PARTS" in outcome.body
    nested = {"Content-Type": "application/json"}
    assert limits.post("length", data="[" * 10 + "]" * 10, headers=nested).status_code == 200
    outcome = invariants.hold(400, lambda: limits.post("length", data="[" * 11 + "]" * 11, headers=nested), "length")
    assert b"CORTEX_MAX_JSON_DEPTH" in outcome.body


# Large bodies


@pytest.mark.slow
@pytest.mark.skipif(not MEASURABLE, reason="needs /proc")
def test_large_bodies_leave_memory_flat_and_others_alone(own_server: Server, folder: Path) -> None:
    server = own_server
    server.deploy(project(folder / "project", "big-"))
    small = Invariants(server, lambda: server.post("big-length", data=b"abc"))
    small.goes_on()
    before = Footprint.of(server.pid).resident
    peak = before
    slowest = 0.0
    with ThreadPoolExecutor(2) as pool:
        up = pool.submit(server.post, "big-narrow?x=1", data=b"", timeout=60)
        up.result()
        up = pool.submit(server.post, "big-length", data=bytes(100 << 20), timeout=120)
        down = pool.submit(server.post, "big-stream?whole&pieces=1600", timeout=120)
        with requests.Session() as session:
            while not (up.done() and down.done()):
                begun = time.monotonic()
                assert session.get(server.url("/livez"), timeout=60).status_code == 200
                slowest = max(slowest, time.monotonic() - begun)
                peak = max(peak, Footprint.of(server.pid).resident)
    assert up.result().json()["length"] == 100 << 20
    assert len(down.result().content) == 1600 * 65536
    assert peak - before < 48 << 20, (before, peak)
    assert slowest < 1, slowest


# The server's own options


@pytest.mark.parametrize(
    ("flag", "value", "allowed"),
    [
        ("--max-body-size", "0", "from 1 to"),
        ("--max-body-size", "many", "such as 1Gi"),
        ("--max-headers", "0", "from 1 to 10000"),
        ("--max-headers", "1.5", "from 1 to 10000"),
        ("--max-header-size", "1", "from 128"),
        ("--max-url-length", "1Ti", "to 1Mi"),
        ("--max-head-size", "x", "from 256"),
        ("--max-form-parts", "0", "from 1"),
        ("--max-json-depth", "901", "from 1 to 900"),
        ("--max-connections", "0", "from 1"),
        ("--inline-limit", "1", "from 4Ki"),
        ("--spool-budget", "0", "from 1"),
        ("--header-timeout", "0s", "from 1ms"),
        ("--body-timeout", "5", "such as 1m0s"),
        ("--idle-timeout", "never", "to 24h0m0s"),
        ("--min-upload-rate", "0", "from 1"),
        ("--min-download-rate", "", "from 1"),
        ("--rate-window", "1ms", "from 100ms"),
    ],
)
def test_F11_a_limit_that_is_none_is_refused(cortex: Cortex, flag: str, value: str, allowed: str) -> None:
    done = cortex.run("server", "run", flag, value)
    assert done.returncode == 2 and f'{flag} is "{value}"' in done.stderr and allowed in done.stderr, done.stderr
    if value:
        variable = "CORTEX_" + flag[2:].upper().replace("-", "_")
        cortex.environment[variable] = value
        done = cortex.run("server", "start")
        assert done.returncode == 2 and variable in done.stderr and allowed in done.stderr, done.stderr


def test_F11_negative_limits_are_wrong_usage(cortex: Cortex) -> None:
    assert cortex.run("server", "run", "--max-body-size", "-1").returncode == 2
    assert cortex.run("server", "run", "--max-body-size=-1").returncode == 2


def test_a_flag_wins_over_its_variable(binary: Path, folder: Path) -> None:
    server = Server(binary, folder / "home", CORTEX_MAX_URL_LENGTH="1Ki")
    try:
        server.start("--max-url-length", "2Ki")
        assert exchange(server.port, request("/" + "a" * 1500, method="GET"), "GET").status == 404  # type: ignore[union-attr]
        assert exchange(server.port, request("/" + "a" * 2500, method="GET"), "GET").status == 414  # type: ignore[union-attr]
    finally:
        server.stop()


def test_every_limit_is_in_the_help_and_in_the_documents(cortex: Cortex, repository: Path) -> None:
    text = cortex.ok("server", "run", "--help")
    flags = re.findall(r"--((?:max|min|inline|spool|header|body|idle|rate)-[a-z-]+)", text)
    assert len(set(flags)) >= 16, flags
    table = (repository / "docs" / "limits.md").read_text()
    for flag in flags:
        assert f"`--{flag}`" in table and "CORTEX_" + flag.upper().replace("-", "_") in table, flag
